import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { writeReport } from '../../../activities/report.ts'
import { track } from '../../../activities/track.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { UserError } from '../../../experiment/errors.ts'
import type { Manifest, Measured } from '../../../experiment/manifest.ts'
import { metricColumns, type ResultRow } from '../../../experiment/results.ts'
import { stagesOf } from '../../../experiment/stage-list.ts'
import type { Stage } from '../../../experiment/stages.ts'
import { MlflowClient, type Metric } from '../../../tracking/mlflow.ts'
import { trackRun, type Tracked } from '../../../tracking/track.ts'
import { mlflowServer } from '../../support/mlflow.ts'
import { sampleRun } from '../../support/run.ts'
import { candidate, sampleInput, withoutStages } from '../../unit/report/fixtures.ts'

let server: Awaited<ReturnType<typeof mlflowServer>>
beforeAll(async () => {
  server = await mlflowServer()
})
afterAll(() => server.stop())

async function ask<T>(path: string, body?: unknown): Promise<T> {
  const init =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  return (await (await fetch(`${server.url}/api/2.0/mlflow/${path}`, init)).json()) as T
}

const history = async (run: string, key: string) =>
  (
    await ask<{ metrics?: Metric[] }>(
      `metrics/get-history?run_id=${run}&metric_key=${encodeURIComponent(key)}&max_results=5000`,
    )
  ).metrics ?? []

interface RunAnswer {
  readonly run: {
    readonly info: { readonly run_id: string; readonly status: string; readonly run_name: string }
    readonly data: {
      readonly metrics?: readonly { readonly key: string }[]
      readonly params?: readonly { readonly key: string; readonly value: string }[]
      readonly tags?: readonly { readonly key: string; readonly value: string }[]
    }
  }
}

describe('on a real server', () => {
  test('experiments and runs are made once and found again', async () => {
    const client = new MlflowClient(server.url)
    const experiment = await client.experiment('found again')
    expect(await client.experiment('found again')).toBe(experiment)
    const make = () => client.run(experiment, { key: 'a/b', name: 'first', startTime: 1000 })
    const run = await make()
    expect(await make()).toBe(run)
    expect(await client.run(experiment, { key: 'a/c', name: 'second', startTime: 1000 })).not.toBe(run)
    await client.end(run, 'FINISHED', 2000)
    expect((await ask<RunAnswer>(`runs/get?run_id=${run}`)).run.info).toMatchObject({
      status: 'FINISHED',
      run_name: 'first',
    })
  })

  test('more than one call can hold arrives whole, and once however often it is sent', async () => {
    const client = new MlflowClient(server.url)
    const run = await client.run(await client.experiment('limits'), {
      key: 'limits',
      name: 'limits',
      startTime: 1,
    })
    const metrics = Array.from({ length: 2500 }, (_, step) => ({
      key: 'loss',
      value: 1 / (step + 1),
      timestamp: 5000,
      step,
    }))
    const params = Object.fromEntries(
      Array.from({ length: 250 }, (_, i) => [`p${i}`, i === 0 ? 'x'.repeat(9000) : String(i)]),
    )
    const tags = { long: 'y'.repeat(7000) }
    await client.log(run, { metrics, params, tags })
    await client.log(run, { metrics, params, tags })
    const points = await history(run, 'loss')
    expect(points.map(({ step }) => step).sort((a, b) => a - b)).toEqual(metrics.map(({ step }) => step))
    const { data } = (await ask<RunAnswer>(`runs/get?run_id=${run}`)).run
    expect(data.params?.length).toBe(250)
    expect(data.params?.find(({ key }) => key === 'p0')?.value.length).toBe(6000)
    expect(data.tags?.find(({ key }) => key === 'long')?.value.length).toBe(5000)
  })

  test('a run whose answer got lost is found again, not made twice', async () => {
    const lossy = await losing('runs/create')
    const client = new MlflowClient(lossy.url, { retryAfter: 5 })
    const experiment = await client.experiment('lossy')
    const run = await client.run(experiment, { key: 'lost', name: 'lost', startTime: 1 })
    expect(lossy.lost()).toBe(1)
    const { runs } = await ask<{ runs: { info: { run_id: string } }[] }>('runs/search', {
      experiment_ids: [experiment],
    })
    expect(runs.map(({ info }) => info.run_id)).toEqual([run])
    lossy.close()
  })

  test('an experiment that was deleted is said to be', async () => {
    const client = new MlflowClient(server.url)
    await ask('experiments/delete', { experiment_id: await client.experiment('gone') })
    await expect(client.experiment('gone')).rejects.toThrow(UserError)
  })

  test('a finished run sent twice is there once, with its figures, curves and reasons', async () => {
    const client = new MlflowClient(server.url)
    const sent = trackedSample()
    await trackRun(client, sent)
    const first = await everything('sample')
    await trackRun(client, sent)
    expect(await everything('sample')).toEqual(first)

    const labels = ['retrain', 'finetune', 'rfa', 'retrain, seed 2']
    expect(Object.keys(first).sort()).toEqual([...labels, sent.run.id].sort())
    const parent = first[sent.run.id]
    expect(parent).toMatchObject({
      status: 'FINISHED',
      params: { 'model.name': 'mlp', 'seed.training': '1' },
    })
    expect(parent?.metrics).toMatchObject({
      'original/loss': [
        [1, 2],
        [2, 1],
      ],
      'gold 2/learning rate': [
        [1, 0.1],
        [2, 0.05],
      ],
    })
    const finetune = first.finetune
    expect(finetune).toMatchObject({
      status: 'FINISHED',
      params: { 'method.method': 'finetune', 'model.hidden': '[8]' },
      tags: {
        'mlflow.parentRunId': parent?.id,
        'zeroshift.run': sent.run.id,
        'zeroshift.report': sent.digest,
        'zeroshift.stage.compare': sent.run.plan.candidates[1]?.compare.key,
      },
    })
    expect(finetune?.metrics.ra).toEqual([[0, 50]])
    expect(finetune?.metrics.loss).toEqual([
      [1, 2],
      [2, 1],
    ])
    const rfa = first.rfa
    expect(rfa?.status).toBe('FAILED')
    expect(rfa?.metrics).not.toHaveProperty('ra')
    expect(rfa?.tags['missing.ra']).toBe('it failed')
    expect(rfa?.metrics['residual/forget']).toEqual([[2, 0.25]])
  })

  test('stages computed anew are runs of their own, and add nothing to the first', async () => {
    const client = new MlflowClient(server.url)
    const sent = { ...trackedSample(), experiment: 'anew' }
    await trackRun(client, sent)
    const later = Object.entries(sent.manifests).map(([key, manifest]) => {
      const clock = { ...manifest.clock, finishedAt: '2026-06-01T00:00:00.000Z' }
      return [key, { ...manifest, clock }] as const
    })
    await trackRun(client, { ...sent, manifests: Object.fromEntries(later) })
    const id = await client.experiment('anew')
    const { runs } = await ask<{ runs: RunAnswer['run'][] }>('runs/search', { experiment_ids: [id] })
    expect(runs.filter(({ info }) => info.run_name === 'finetune')).toHaveLength(2)
    for (const { info } of runs.filter(({ info }) => info.run_name === 'finetune'))
      expect(await history(info.run_id, 'loss')).toHaveLength(2)
  })

  test('a stored run is tracked as its report has it, failed stages included', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'zeroshift-tracking-'))
    try {
      const whole = sampleInput()
      const { unlearn, evaluate, attack, compare } = candidate(whole, 'rfa')
      const input = withoutStages(
        whole,
        [unlearn, evaluate, attack, compare],
        [{ title: 'unlearn by rfa', reason: 'the loss is not finite' }],
      )
      const artifacts = openArtifacts(directory)
      for (const manifest of Object.values(input.manifests)) await artifacts.commit(manifest)
      await artifacts.putRun({ ...input.run, failed: input.failed })
      const { digest, results } = await writeReport(artifacts, input.run, input.failed)

      await track(artifacts, input.run, { uri: server.url })
      const stored = await everything(input.run.spec.name)
      expect(Object.keys(stored).sort()).toEqual([input.run.id, ...results.map(({ label }) => label)].sort())
      for (const { label, metrics } of results) {
        expect(stored[label]?.tags['zeroshift.report']).toBe(digest)
        for (const [name, figure] of Object.entries(metrics))
          if ('value' in figure) expect(stored[label]?.metrics[name]).toEqual([[0, figure.value]])
          else expect(stored[label]?.tags[`missing.${name}`]).toBe(figure.missing)
      }
      expect(stored.rfa).toMatchObject({
        status: 'FAILED',
        tags: { 'missing.ra': 'unlearn by rfa failed: the loss is not finite' },
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

/** A way to the server that loses the first answer to one kind of call, after the server has done it. */
async function losing(path: string) {
  let lost = 0
  const proxy = createServer((incoming, outgoing) => {
    const passed = request(
      `${server.url}${incoming.url}`,
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        if (lost === 0 && incoming.url?.endsWith(path)) {
          lost++
          answer.resume().on('end', () => incoming.socket.destroy())
        } else {
          outgoing.writeHead(answer.statusCode ?? 500)
          answer.pipe(outgoing)
        }
      },
    )
    incoming.pipe(passed)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, lost: () => lost, close: () => proxy.close() }
}

interface Stored {
  readonly id: string
  readonly status: string
  readonly params: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** [step, value] of each point, by key. */
  readonly metrics: Readonly<Record<string, readonly (readonly [number, number])[]>>
}

/** What the server holds of an experiment's runs, by name: whole histories, so that a doubled point shows. */
async function everything(experiment: string): Promise<Readonly<Record<string, Stored>>> {
  const id = await new MlflowClient(server.url).experiment(experiment)
  const { runs } = await ask<{ runs: RunAnswer['run'][] }>('runs/search', { experiment_ids: [id] })
  expect(new Set(runs.map(({ info }) => info.run_name)).size).toBe(runs.length)
  const table = (list: readonly { readonly key: string; readonly value: string }[] = []) =>
    Object.fromEntries(list.map(({ key, value }) => [key, value]))
  const stored = runs.map(async ({ info, data }) => {
    const keys = (data.metrics ?? []).map(({ key }) => key)
    const histories = keys.map(async (key) => {
      const points = (await history(info.run_id, key)).map(({ step, value }) => [step, value] as const)
      return [key, points.sort(([a], [b]) => a - b)] as const
    })
    const metrics = Object.fromEntries(await Promise.all(histories))
    const { run_id: run, run_name: name, status } = info
    return [name, { id: run, status, params: table(data.params), tags: table(data.tags), metrics }] as const
  })
  return Object.fromEntries(await Promise.all(stored))
}

/** A run whose rfa model was made and then could not be judged. */
function trackedSample(): Tracked {
  const { run } = sampleRun()
  const { candidates, floor } = run.plan
  const finished = stagesOf(run.plan).filter(({ title }) => !/^(evaluate|attack|compare) rfa$/.test(title))
  const manifests = Object.fromEntries(finished.map((stage, i) => [stage.key, finishedStage(stage, i)]))
  const rows = [...candidates, ...floor].map(({ label, method, compare }): ResultRow => {
    const figure: Measured = compare.key in manifests ? { value: 50 } : { missing: 'it failed' }
    const metrics = Object.fromEntries(Object.keys(metricColumns).map((name) => [name, figure]))
    return { label, method, metrics: metrics as ResultRow['metrics'] }
  })
  return { run, rows, manifests, digest: 'd'.repeat(64), experiment: 'sample' }
}

/** The manifest of a stage with what tracking reads of it: the clock, and curves where the kind has them. */
function finishedStage({ title: _, ...stage }: Stage, i: number): Manifest {
  const curve = [
    { step: 1, loss: 2, learningRate: 0.1 },
    { step: 2, loss: 1, learningRate: 0.05 },
  ]
  const residuals = [{ step: 2, retained: 0.5, forget: 0.25 }]
  return {
    ...stage,
    inputDigests: {},
    outputs: {},
    metrics: {
      curve,
      ...(stage.kind === 'unlearn' && stage.params.method.method === 'rfa' && { residuals }),
    },
    clock: {
      seconds: 1.5,
      finishedAt: new Date(Date.UTC(2026, 0, 1, 0, 0, i)).toISOString(),
      environment: { zeroshift: '0', node: 'v20', platform: 'linux-x64' },
    },
  } as unknown as Manifest
}
