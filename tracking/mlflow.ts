import { UserError } from '../common/errors.ts'
import type { RunEnd } from '../experiment/records/run.ts'
import { batches, checkMetric, lanes, limits, type Batch, type Metric, type Strings } from './limits.ts'
import { Rest, type RestOptions } from './rest.ts'

/**
 * The part of MLflow's REST API (2.0) that tracking uses. Every call may be repeated without
 * duplicates: if points may have arrived before, the server is asked for them first.
 */
export class MlflowClient {
  private readonly rest: Rest

  /** See Rest for the credentials. Throws a UserError if `uri` is not a URL. */
  constructor(uri: string, options: RestOptions = {}) {
    this.rest = new Rest(uri, options)
  }

  /** The address of the server, without credentials. */
  get address(): string {
    return this.rest.address
  }

  /**
   * Returns the id of the experiment with this name, and creates it if it does not exist. Throws a
   * UserError if it was deleted.
   */
  async experiment(name: string): Promise<string> {
    const query = new URLSearchParams({ experiment_name: name })
    const find = async () => {
      const found = await this.get<{ experiment: { experiment_id: string; lifecycle_stage?: string } }>(
        `experiments/get-by-name?${query.toString()}`,
        'RESOURCE_DOES_NOT_EXIST',
      )
      if (found?.experiment.lifecycle_stage === 'deleted')
        throw new UserError(
          `the experiment "${name}" was deleted on MLflow at ${this.address}; restore it there, or name another one in tracking.experiment`,
        )
      return found?.experiment.experiment_id
    }
    return this.rest.retried(async () => {
      const known = await find()
      if (known !== undefined) return known
      const made = await this.post<{ experiment_id: string }>(
        'experiments/create',
        { name },
        'RESOURCE_ALREADY_EXISTS',
      )
      const id = made?.experiment_id ?? (await find())
      if (id === undefined)
        throw new Error(`MLflow at ${this.address} has no experiment "${name}" and does not make one`)
      return id
    })
  }

  /** Returns the runs of an experiment that have this tag and are not deleted. */
  runsWith(experiment: string, tag: string, value: string): Promise<readonly ServerRun[]> {
    return this.rest.retried(() => this.search(experiment, tag, value))
  }

  private async search(experiment: string, tag: string, value: string): Promise<readonly ServerRun[]> {
    if (value.includes("'")) throw new RangeError(`the tag ${value} has a quote, which a search cannot hold`)
    const runs: ServerRun[] = []
    for (let token: string | undefined; ;) {
      const page = await this.post<{ runs?: RunAnswer[]; next_page_token?: string }>('runs/search', {
        experiment_ids: [experiment],
        filter: `tags.\`${tag}\` = '${value}'`,
        max_results: 1000,
        ...(token && { page_token: token }),
      })
      runs.push(...(page?.runs ?? []).map(serverRun))
      token = page?.next_page_token
      if (!token) return runs
    }
  }

  /** Returns a run, or undefined if there is none with this id or it was deleted. */
  async run(id: string): Promise<ServerRun | undefined> {
    const found = await this.rest.retried(() =>
      this.get<{ run: RunAnswer }>(
        `runs/get?${new URLSearchParams({ run_id: id }).toString()}`,
        'RESOURCE_DOES_NOT_EXIST',
      ),
    )
    return found && found.run.info.lifecycle_stage !== 'deleted' ? serverRun(found.run) : undefined
  }

  /**
   * Creates a run. If the answer is lost, a retry returns the run with the same value of the tag
   * `mark`. `isNew` is false then, because another process may have created it.
   */
  async createRun(experiment: string, { name, startTime, tags, mark }: NewRun): Promise<Created> {
    return this.rest.retried(async (attempt) => {
      const [known] = attempt === 1 ? [] : await this.search(experiment, mark, tags[mark] ?? '')
      if (known) return { run: known, isNew: false }
      const made = await this.post<{ run: RunAnswer }>('runs/create', {
        experiment_id: experiment,
        run_name: name,
        start_time: startTime,
        tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      })
      if (!made) throw new Error(`MLflow at ${this.address} made no run "${name}"`)
      return { run: serverRun(made.run), isNew: true }
    })
  }

  /** Deletes a run. Does nothing if it was deleted already. */
  async deleteRun(id: string): Promise<void> {
    await this.rest.retried(async () => {
      await this.post('runs/delete', { run_id: id }, 'RESOURCE_DOES_NOT_EXIST', 'INVALID_PARAMETER_VALUE')
    })
  }

  /**
   * Logs any number of points, parameters and tags, and returns the number of points that were
   * sent. The points of a key arrive in their order, and a key has one point for each step. Throws
   * a RangeError before anything is sent if the server does not accept a name, a number or the
   * length of a value.
   *
   * @param asks  whether points may have been sent before. The server is then asked for its points,
   *   and only the missing ones are sent. It is also asked after a call whose outcome is unknown.
   * @param inFlight  the number of calls that may be under way at the same time
   */
  async log(
    run: string,
    {
      metrics = [],
      params = {},
      tags = {},
    }: { metrics?: readonly Metric[]; params?: Strings; tags?: Strings },
    { asks = true, inFlight = 4 }: { asks?: boolean; inFlight?: number } = {},
  ): Promise<number> {
    // Checks everything before the first request.
    const first = batches({ params, tags })
    for (const metric of metrics) checkMetric(metric)
    const points = asks
      ? await this.missing(run, metrics, inFlight, (work) => this.rest.retried(work))
      : metrics
    for (const batch of first) await this.send(run, batch)
    const sending = lanes(points, inFlight).map(async (lane) => {
      for (const batch of batches({ metrics: lane })) await this.send(run, batch)
    })
    // Waits for all calls, so that none is under way when this function throws.
    const failed = (await Promise.allSettled(sending)).find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
    return points.length
  }

  private async send(run: string, batch: Batch): Promise<void> {
    const { params, tags } = batch
    await this.rest.retried(async (attempt) => {
      const metrics =
        attempt === 1
          ? batch.metrics
          : batches({ metrics: await this.missing(run, batch.points) }).flatMap((some) => some.metrics)
      const lists = { params, tags, metrics }
      const body = Object.entries(lists).map(([name, items]) => `"${name}":[${items.join(',')}]`)
      await this.rest.call({
        method: 'POST',
        path: 'api/2.0/mlflow/runs/log-batch',
        body: `{"run_id":${JSON.stringify(run)},${body.join(',')}}`,
      })
    })
  }

  /** Returns the points of which the server has no point with the same key and step. */
  private async missing(
    run: string,
    metrics: readonly Metric[],
    inFlight = 1,
    retried: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
  ): Promise<Metric[]> {
    const there = new Map<string, Set<number>>()
    const keys = [...new Set(metrics.map(({ key }) => key))].values()
    await Promise.all(
      Array.from({ length: inFlight }, async () => {
        for (const key of keys) there.set(key, await retried(() => this.steps(run, key)))
      }),
    )
    return metrics.filter(({ key, step }) => !there.get(key)?.has(step))
  }

  /** Returns the steps for which a run has a point with this key. */
  private async steps(run: string, key: string): Promise<Set<number>> {
    const steps = new Set<number>()
    for (let token = ''; ;) {
      const query = new URLSearchParams({ run_id: run, metric_key: key, max_results: '10000' })
      if (token) query.set('page_token', token)
      const page = await this.get<{ metrics?: { step?: number | string }[]; next_page_token?: string }>(
        `metrics/get-history?${query.toString()}`,
        'RESOURCE_DOES_NOT_EXIST',
      )
      for (const { step = 0 } of page?.metrics ?? []) steps.add(Number(step))
      token = page?.next_page_token ?? ''
      if (!token) return steps
    }
  }

  /** Sets the status and, in milliseconds since 1970, the time of the end if there is one. */
  async update(run: string, status: RunEnd['status'] | 'RUNNING', endTime?: number): Promise<void> {
    const body = { run_id: run, status, ...(endTime !== undefined && { end_time: endTime }) }
    await this.rest.retried(() => this.post('runs/update', body))
  }

  /**
   * Adds data sets to a run. A data set whose name and digest the run already has is not changed.
   */
  async inputs(run: string, datasets: readonly DatasetInput[]): Promise<void> {
    const list = datasets.map(({ name, digest, source, profile, tags }) => ({
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
      dataset: {
        name,
        digest: digest.slice(0, limits.datasetDigest),
        source_type: 'zeroshift',
        source: JSON.stringify(source),
        profile: JSON.stringify(profile),
      },
    }))
    await this.rest.retried(async () => {
      const body = { run_id: run, datasets: list }
      // If two processes add a new data set at the same time, the server refuses the second call.
      // When that is repeated, the data set exists.
      const done = await this.post('runs/log-inputs', body, 'BAD_REQUEST')
      if (!done) await this.post('runs/log-inputs', body)
    })
  }

  /**
   * Writes a file to the artifacts of a run, and replaces one with the same path. Returns false and
   * does nothing if the server does not accept files for the place of these artifacts.
   */
  async upload({ artifacts }: ServerRun, path: string, bytes: Uint8Array): Promise<boolean> {
    if (!URL.canParse(artifacts)) return false
    const { protocol, pathname } = new URL(artifacts)
    if (protocol !== 'mlflow-artifacts:') return false
    const escaped = [...pathname.split('/'), ...path.split('/')]
      .filter((part) => part !== '')
      .map((part) => encodeURIComponent(decodeURIComponent(part)))
    const target = `api/2.0/mlflow-artifacts/artifacts/${escaped.join('/')}`
    await this.rest.retried(() => this.rest.call({ method: 'PUT', path: target, body: bytes }))
    return true
  }

  /**
   * Returns the version of a registered model that has the tag, and creates it, and the model, if
   * it does not exist. If several processes create a version at the same time, the first one stays,
   * and each other process deletes its own.
   */
  async modelVersion({ name, source, run, tag, value }: NewVersion): Promise<string> {
    const filter = `name = '${name}'`
    const find = async () => {
      const query = new URLSearchParams({ filter, max_results: '1000' })
      const found = await this.get<{ model_versions?: VersionAnswer[] }>(
        `model-versions/search?${query.toString()}`,
      )
      const marked = (found?.model_versions ?? []).filter(({ tags = [] }) =>
        tags.some(({ key, value: held }) => key === tag && held === value),
      )
      return marked.map(({ version }) => Number(version)).sort((a, b) => a - b)[0]
    }
    return this.rest.retried(async () => {
      const known = await find()
      if (known !== undefined) return String(known)
      await this.post('registered-models/create', { name }, 'RESOURCE_ALREADY_EXISTS')
      const made = await this.post<{ model_version: VersionAnswer }>('model-versions/create', {
        name,
        source,
        run_id: run,
        tags: [{ key: tag, value }],
      })
      const mine = Number(made?.model_version.version)
      const first = (await find()) ?? mine
      if (first !== mine)
        await this.rest.call({
          method: 'DELETE',
          path: 'api/2.0/mlflow/model-versions/delete',
          body: JSON.stringify({ name, version: String(mine) }),
          expected: ['RESOURCE_DOES_NOT_EXIST'],
        })
      return String(first)
    })
  }

  private get<T>(path: string, ...expected: string[]): Promise<T | undefined> {
    return this.rest.call<T>({ method: 'GET', path: `api/2.0/mlflow/${path}`, expected })
  }

  private post<T>(path: string, body: unknown, ...expected: string[]): Promise<T | undefined> {
    return this.rest.call<T>({
      method: 'POST',
      path: `api/2.0/mlflow/${path}`,
      body: JSON.stringify(body),
      expected,
    })
  }
}

/** A run on the server. */
export interface ServerRun {
  readonly id: string
  readonly status: string
  readonly endTime: number | undefined
  /** The place of its files, as a URL or as a path on the server. */
  readonly artifacts: string
  readonly params: Strings
  readonly tags: Strings
}

export interface NewRun {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly startTime: number
  readonly tags: Strings
  /** The name of a tag whose value no other run has. */
  readonly mark: string
}

export interface Created {
  readonly run: ServerRun
  /** False if the run existed already. */
  readonly isNew: boolean
}

export interface DatasetInput {
  readonly name: string
  /** The server gets its first 36 characters. The whole digest belongs in a tag. */
  readonly digest: string
  readonly source: unknown
  readonly profile: unknown
  readonly tags: Strings
}

export interface NewVersion {
  /** The name of the registered model, without `/`, `:` and quotes. */
  readonly name: string
  /** The URL of its folder among the artifacts of the run. */
  readonly source: string
  readonly run: string
  readonly tag: string
  readonly value: string
}

interface RunAnswer {
  readonly info: {
    readonly run_id: string
    readonly status: string
    readonly end_time?: number | string
    readonly artifact_uri?: string
    readonly lifecycle_stage?: string
  }
  readonly data?: { readonly params?: readonly Pair[]; readonly tags?: readonly Pair[] }
}

interface VersionAnswer {
  readonly version: string
  readonly tags?: readonly Pair[]
}

interface Pair {
  readonly key: string
  /** Absent if the value is empty. */
  readonly value?: string
}

function serverRun({ info, data = {} }: RunAnswer): ServerRun {
  const table = (pairs: readonly Pair[] = []) =>
    Object.fromEntries(pairs.map(({ key, value = '' }) => [key, value]))
  return {
    id: info.run_id,
    status: info.status,
    endTime: info.end_time === undefined ? undefined : Number(info.end_time),
    artifacts: info.artifact_uri ?? '',
    params: table(data.params),
    tags: table(data.tags),
  }
}
