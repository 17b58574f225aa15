import { request } from 'node:http'
import { serving } from '../../support/serving.ts'

/** Queries of tests to an MLflow server, which do not use Zeroshift's client. */
export async function ask<T>(url: string, path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(`${url}/api/2.0/mlflow/${path}`, init)).json()) as T
}

export interface Held {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly start: number
  readonly end: number | undefined
  readonly artifacts: string
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Every point that is there, [step, value, time], in the server's order, by key. */
  readonly metrics: Readonly<Record<string, readonly (readonly [number, number, number])[]>>
  readonly inputs: readonly {
    readonly name: string
    readonly digest: string
    readonly tags: Readonly<Record<string, string>>
  }[]
}

interface Pair {
  readonly key: string
  readonly value: string
}

interface RunAnswer {
  readonly info: {
    readonly run_id: string
    readonly run_name: string
    readonly status: string
    readonly start_time: number
    readonly end_time?: number
    readonly artifact_uri: string
  }
  readonly data: {
    /** The last point of each history. */
    readonly metrics?: readonly (Pair & { readonly step?: number })[]
    readonly params?: readonly Pair[]
    readonly tags?: readonly Pair[]
  }
  readonly inputs?: {
    readonly dataset_inputs?: readonly {
      readonly tags: readonly Pair[]
      readonly dataset: { readonly name: string; readonly digest: string }
    }[]
  }
}

const table = (list: readonly Pair[] = []) => Object.fromEntries(list.map(({ key, value }) => [key, value]))

/**
 * All runs of an experiment with their whole histories, by name and id. A point or run that is
 * there twice shows.
 */
export async function holds(url: string, experiment: string): Promise<readonly Held[]> {
  const found = await ask<{ experiment?: { experiment_id: string } }>(
    url,
    `experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`,
  )
  if (!found.experiment) return []
  const { runs = [] } = await ask<{ runs?: RunAnswer[] }>(url, 'runs/search', {
    experiment_ids: [found.experiment.experiment_id],
    max_results: 1000,
  })
  const single = await singlePoints(url, runs)
  const held = runs.map(async ({ info, data, inputs }): Promise<Held> => {
    const histories = (data.metrics ?? []).map(async ({ key }) => {
      const point = single.get(`${info.run_id} ${key}`)
      return [key, point ? [point] : await history(url, info.run_id, key)] as const
    })
    return {
      id: info.run_id,
      name: info.run_name,
      status: info.status,
      start: info.start_time,
      end: info.end_time,
      artifacts: info.artifact_uri,
      params: table(data.params),
      tags: table(data.tags),
      metrics: Object.fromEntries((await Promise.all(histories)).sort(([a], [b]) => (a < b ? -1 : 1))),
      inputs: (inputs?.dataset_inputs ?? []).map(({ tags, dataset: { name, digest } }) => ({
        name,
        digest,
        tags: table(tags),
      })),
    }
  })
  const order = ({ name, id }: Held) => `${name} ${id}`
  return (await Promise.all(held)).sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** The names of the runs of an experiment that were deleted, as those are that lost a race. */
export async function deletedIn(url: string, experiment: string): Promise<readonly string[]> {
  const found = await ask<{ experiment: { experiment_id: string } }>(
    url,
    `experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`,
  )
  const { runs = [] } = await ask<{ runs?: { info: { run_name: string } }[] }>(url, 'runs/search', {
    experiment_ids: [found.experiment.experiment_id],
    run_view_type: 'DELETED_ONLY',
  })
  return runs.map(({ info }) => info.run_name)
}

interface StoredPoint {
  readonly value: number
  readonly step: number
  readonly timestamp: number
}
const pointOf = ({ step, value, timestamp }: StoredPoint) => [step, value, timestamp] as const

async function history(url: string, run: string, key: string) {
  const query = new URLSearchParams({ run_id: run, metric_key: key })
  const { metrics = [] } = await ask<{ metrics?: readonly StoredPoint[] }>(
    url,
    `metrics/get-history?${query.toString()}`,
  )
  return metrics.map(pointOf)
}

/** The most points of one answer to get-history-bulk. */
const MOST_POINTS = 25_000

/**
 * The points of the histories that have one point, by run and key. One request reads a key of all
 * runs, but it sorts the points, so that it cannot show the order of longer histories.
 */
async function singlePoints(url: string, runs: readonly RunAnswer[]) {
  const last = runs.flatMap(({ data }) => data.metrics ?? [])
  const curves = new Set(last.filter(({ step = 0 }) => step !== 0).map(({ key }) => key))
  const keys = new Set(last.map(({ key }) => key).filter((key) => !curves.has(key)))
  const single = new Map<string, ReturnType<typeof pointOf>>()
  const read = async (key: string) => {
    const query = new URLSearchParams({ metric_key: key })
    for (const { info } of runs) query.append('run_id', info.run_id)
    const path = `${url}/ajax-api/2.0/mlflow/metrics/get-history-bulk?${query.toString()}`
    const { metrics } = (await (await fetch(path)).json()) as {
      readonly metrics: readonly (StoredPoint & { readonly run_id: string })[]
    }
    const counts = new Map<string, number>()
    for (const { run_id } of metrics) counts.set(run_id, (counts.get(run_id) ?? 0) + 1)
    for (const { run_id, ...point } of metrics)
      if (counts.get(run_id) === 1 && metrics.length < MOST_POINTS)
        single.set(`${run_id} ${key}`, pointOf(point))
  }
  await Promise.all([...keys].map(read))
  return single
}

/**
 * A proxy to a server that carries out every call and loses the answers to the calls that `loses`
 * chooses. `onRequest` receives the number of each call, counted from 1, while the server carries
 * it out.
 */
export async function losing(
  url: string,
  loses: (path: string, count: number) => boolean,
  onRequest?: (count: number) => void,
) {
  let [count, lost] = [0, 0]
  const paths: string[] = []
  const { url: proxy, close } = await serving((incoming, outgoing) => {
    const path = (incoming.url ?? '').split('?')[0] ?? ''
    const number = paths.push(path)
    const passed = request(
      `${url}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        if (loses(path, ++count)) {
          lost++
          answer.resume().on('end', () => incoming.socket.destroy())
        } else {
          outgoing.writeHead(answer.statusCode ?? 500)
          answer.on('error', () => incoming.socket.destroy()).pipe(outgoing)
        }
      },
    )
    passed.on('error', () => incoming.socket.destroy())
    incoming.pipe(passed)
    passed.on('finish', () => onRequest?.(number))
  })
  return { url: proxy, lost: () => lost, paths, close }
}
