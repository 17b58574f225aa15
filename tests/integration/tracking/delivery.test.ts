import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { writeReport } from '../../../activities/report.ts'
import { track, trackStored } from '../../../activities/delivery/track.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { sha256 } from '../../../common/canonical.ts'
import type { Manifest } from '../../../experiment/records/manifest.ts'
import type { RunEnd } from '../../../experiment/records/run.ts'
import type { Plan } from '../../../experiment/plan/types.ts'
import type { ReportInput } from '../../../report/input.ts'
import { results } from '../../../report/results.ts'
import { zeroshift } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { linked } from '../../support/linked.ts'
import { mlflowServer, type TestMlflow } from '../../support/mlflow.ts'
import { forFile } from '../../support/release.ts'
import { sharedMlflow } from '../../support/shared.ts'
import { candidate, sampleInput, withManifest, withoutStages } from '../../unit/report/fixtures.ts'
import { ask, deletedIn, holds, losing, type Held } from './holds.ts'

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

const finished: RunEnd = { status: 'FINISHED', at: Date.UTC(2025, 10, 24, 12) }
let names = 0
/** An MLflow experiment of its own for each test. */
const fresh = () => `experiment ${++names}`

async function commit(manifests: readonly (Manifest | undefined)[]): Promise<void> {
  for (const manifest of linked(manifests.flatMap((manifest) => manifest ?? [])))
    await artifacts.commit(manifest)
}

/** The store as a run leaves it. */
async function store(input: ReportInput): Promise<void> {
  await commit(Object.values(input.manifests))
  await artifacts.putRun({ ...input.run, failed: input.failed })
  await writeReport(artifacts, input.run, input.failed)
}

/** Curves of so many steps for the models that training makes. */
function withCurves(input: ReportInput, steps: number): ReportInput {
  const curve = Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    loss: 1 / (i + 1),
    learningRate: 1e-3,
  }))
  const { original, gold } = input.run.plan
  return [original, ...gold].reduce(
    (changed, stage) =>
      withManifest(changed, stage, (manifest) => ({ ...manifest, metrics: { ...manifest.metrics, curve } })),
    input,
  )
}

/** Exactly what the manifests say: every run, figure and point once, points in order. */
function expectWhole(held: readonly Held[], input: ReportInput): void {
  const { run, manifests } = input
  const rows = results(input)
  expect(held.map(({ name }) => name)).toEqual([run.id, ...rows.map(({ label }) => label)].sort())
  const of = (name: string) => held.find((one) => one.name === name)
  const parent = of(run.id)
  const { original, gold } = run.plan
  const trained = [original, ...gold].map(
    ({ key }, i) => [i === 0 ? 'original/' : `gold ${i}/`, key] as const,
  )
  const curves: Record<string, unknown> = {}
  for (const [prefix, key] of trained) Object.assign(curves, curveOf(manifests[key], prefix))
  expect(parent?.metrics).toEqual(curves)
  for (const row of rows) {
    const { model } = candidate(input, row.label)
    const child = of(row.label)
    const time = Date.parse('2025-11-24T11:00:00.000Z')
    const figures = Object.entries(row.metrics).flatMap(([name, figure]) =>
      'value' in figure ? [[name, [[0, figure.value, time]]] as const] : [],
    )
    expect(child?.metrics).toEqual({ ...Object.fromEntries(figures), ...curveOf(manifests[model.key], '') })
    expect(child?.tags['mlflow.parentRunId']).toBe(parent?.id)
    for (const [name, figure] of Object.entries(row.metrics))
      expect(child?.tags[`missing.${name}`]).toBe('missing' in figure ? figure.missing : undefined)
  }
}

function curveOf(manifest: Manifest | undefined, prefix: string): Record<string, unknown> {
  if (manifest?.kind !== 'train' && manifest?.kind !== 'unlearn') return {}
  const time = Date.parse(manifest.clock.finishedAt)
  const residuals = manifest.kind === 'unlearn' ? manifest.metrics.residuals : undefined
  const { curve } = manifest.metrics
  return {
    [`${prefix}loss`]: curve.map(({ step, loss }) => [step, loss, time]),
    [`${prefix}learning rate`]: curve.map(({ step, learningRate }) => [step, learningRate, time]),
    ...(residuals && {
      [`${prefix}residual/retained`]: residuals.map(({ step, retained }) => [step, retained, time]),
      [`${prefix}residual/forget`]: residuals.map(({ step, forget }) => [step, forget, time]),
    }),
  }
}

const stages = ({ original, gold, dataset, split }: Plan) => [dataset, split, original, ...gold]

describe.each(['sqlite', 'files'] as const)('over a store of %s', (backend) => {
  let url: string
  beforeAll(async () => {
    url = backend === 'sqlite' ? await sharedMlflow() : (await forFile(mlflowServer({ backend }))).url
  })

  const deliver = (input: ReportInput, experiment: string, ended?: RunEnd, uri = url) =>
    track(artifacts, { run: input.run, tracking: { uri, experiment }, ended })

  test('a run is delivered as it goes, and what is sent again changes nothing', async () => {
    const input = sampleInput()
    const experiment = fresh()
    const { run, manifests } = input
    const step = async (ended?: RunEnd) => {
      const sent = await deliver(input, experiment, ended)
      const held = await holds(url, experiment)
      expect(await deliver(input, experiment, ended)).toEqual({ points: 0, runs: 0, notes: [] })
      expect(await holds(url, experiment)).toEqual(held)
      return { sent, held }
    }

    const begun = await step()
    expect(begun.sent).toEqual({ points: 0, runs: 1, notes: [] })
    expect(begun.held).toMatchObject([{ name: run.id, status: 'RUNNING', metrics: {} }])
    expect(begun.held[0]?.inputs).toHaveLength(1)

    await commit(stages(run.plan).map(({ key }) => manifests[key]))
    const trained = await step()
    // Three models of 90 steps, each with its loss and its learning rate.
    expect(trained.sent).toMatchObject({ points: 540, runs: 1 })
    expect(trained.held).toMatchObject([{ name: run.id, status: 'RUNNING' }])
    expect(
      trained.held[0]?.inputs.map(({ name, tags }) => [name, tags['mlflow.data.context']]).sort(),
    ).toEqual([
      ['digits, forget set', 'forget'],
      ['digits', 'training'],
    ])
    for (const { digest, tags } of trained.held[0]?.inputs ?? []) {
      expect(digest).toHaveLength(36)
      expect(tags['zeroshift.digest']).toMatch(/^[0-9a-f]{64}$/)
      expect(tags['zeroshift.digest']?.startsWith(digest)).toBe(true)
    }

    const rfa = new Set<string>(
      [candidate(input, 'rfa')].flatMap(({ compare, attack }) => [compare.key, attack.key]),
    )
    await commit(Object.values(manifests).filter(({ key }) => !rfa.has(key)))
    const almost = await step()
    expect(almost.held.map(({ name }) => name)).not.toContain('rfa')
    expect(almost.held.filter(({ name }) => name !== run.id).map(({ status }) => status)).toEqual(
      Array.from({ length: 5 }, () => 'FINISHED'),
    )

    await store(input)
    const whole = await step(finished)
    expect(whole.sent.runs).toBe(7)
    expectWhole(whole.held, input)
    expect(whole.held.map(({ status }) => status)).toEqual(Array.from({ length: 7 }, () => 'FINISHED'))
    const parent = whole.held.find(({ name }) => name === run.id)
    expect(parent).toMatchObject({ end: finished.at, params: { 'model.name': 'cnn', 'seed.training': '1' } })
    const report = await artifacts.store.get(`runs/${run.id}/report/report.json`)
    const { digest } = JSON.parse(new TextDecoder().decode(report)) as { digest: string }
    expect(new Set(whole.held.map(({ tags }) => tags['zeroshift.report']))).toEqual(new Set([digest]))

    // Without its notes it asks the server, and finds everything there.
    await artifacts.store.delete(`runs/${run.id}/tracking/delivered.json`)
    expect(await deliver(input, experiment, finished)).toMatchObject({ points: 0 })
    expect(await holds(url, experiment)).toEqual(whole.held)
  })

  test('what is there already takes one request', async () => {
    const input = sampleInput()
    await store(input)
    const seen = await losing(url, () => false)
    const experiment = fresh()
    await deliver(input, experiment, finished, seen.url)
    seen.paths.length = 0
    await deliver(input, experiment, finished, seen.url)
    expect(seen.paths).toEqual(['/api/2.0/mlflow/runs/search'])
    await seen.close()
  })

  test('answers that get lost double nothing', async () => {
    const input = withCurves(sampleInput(), 400)
    await store(input)
    const lossy = await losing(url, (path, count) => path.includes('/runs/') && count % 3 === 0)
    const experiment = fresh()
    for (let tries = 0; tries < 20; tries++) {
      const sent = await deliver(input, experiment, finished, lossy.url).catch(() => undefined)
      if (sent?.runs === 0) break
    }
    expect(lossy.lost()).toBeGreaterThan(10)
    expectWhole(await holds(url, experiment), input)
    await lossy.close()
  })

  test('a run that a person deleted is made again, whole', async () => {
    const input = sampleInput()
    const experiment = fresh()
    await store(input)
    await deliver(input, experiment, finished)
    for (const name of ['finetune', input.run.id]) {
      const before = await holds(url, experiment)
      const gone = before.find((one) => one.name === name)
      await ask(url, 'runs/delete', { run_id: gone?.id })
      expect((await deliver(input, experiment, finished)).points).toBeGreaterThan(0)
      const after = await holds(url, experiment)
      expect(after.find((one) => one.name === name)?.id).not.toBe(gone?.id)
      expectWhole(after, input)
    }
  })
})

describe('a server that is killed', () => {
  let server: TestMlflow
  beforeAll(async () => {
    server = await mlflowServer()
  })
  afterAll(() => server.stop())
  const deliver = (input: ReportInput, experiment: string, ended?: RunEnd, uri = server.url) =>
    track(artifacts, { run: input.run, tracking: { uri, experiment }, ended })

  test('MLflow is stopped for a whole run and started again: everything is there once, in order', async () => {
    const input = withCurves(sampleInput(), 1200)
    const experiment = fresh()
    await server.kill()
    const begun = performance.now()
    await expect(deliver(input, experiment)).rejects.toThrow('cannot be reached')
    expect(performance.now() - begun).toBeLessThan(5000)
    await commit(Object.values(input.manifests))
    await expect(deliver(input, experiment)).rejects.toThrow('cannot be reached')
    await store(input)
    await expect(deliver(input, experiment, finished)).rejects.toThrow('cannot be reached')
    await server.start()
    await trackStored(artifacts, input.run, { uri: server.url, experiment })
    const held = await holds(server.url, experiment)
    expectWhole(held, input)
    expect(held.every(({ status }) => status === 'FINISHED')).toBe(true)
    expect(held.find(({ name }) => name === input.run.id)?.end).toBe(finished.at)
  })

  test('MLflow is killed in the middle of deliveries: no point twice, none missing', async () => {
    const input = withCurves(sampleInput(), 1200)
    const experiment = fresh()
    await store(input)
    const kills = new Map<number, Promise<void>>()
    let fatal = 0
    const way = await losing(
      server.url,
      () => false,
      (count) => {
        if (count === fatal) kills.set(count, server.kill())
      },
    )
    let asked = 0
    for (const requests of [6, 12]) {
      fatal = asked + requests
      await expect(deliver(input, experiment, finished, way.url)).rejects.toThrow('cannot be reached')
      await kills.get(fatal)
      expect(kills.has(fatal)).toBe(true)
      asked = way.paths.length
      await server.start()
    }
    await deliver(input, experiment, finished, way.url)
    expectWhole(await holds(server.url, experiment), input)
    await way.close()
  })
})

describe('on one server', () => {
  let url: string
  beforeAll(async () => {
    url = await sharedMlflow()
  })
  const deliver = (input: ReportInput, experiment: string, ended?: RunEnd) =>
    track(artifacts, { run: input.run, tracking: { uri: url, experiment }, ended })
  const statuses = async (experiment: string) =>
    (await holds(url, experiment)).map(({ name, status }) => [name, status])

  test('many deliver one run at the same time: one MLflow run each, every point once', async () => {
    const input = sampleInput()
    await store(input)
    let lost = 0
    for (let round = 0; round < 6 && lost === 0; round++) {
      const experiment = fresh()
      const many = Array.from({ length: 4 }, () => deliver(input, experiment, finished))
      for (const outcome of await Promise.allSettled(many))
        if (outcome.status === 'rejected') throw outcome.reason
      expectWhole(await holds(url, experiment), input)
      lost += (await deletedIn(url, experiment)).length
    }
    // They raced, or the test would show nothing.
    expect(lost).toBeGreaterThan(0)
  })

  test('a run that was killed and resumed runs, and then is finished', async () => {
    const input = sampleInput()
    const experiment = fresh()
    const { key } = candidate(input, 'rfa').compare
    await commit(Object.values(input.manifests).filter((manifest) => manifest.key !== key))
    await deliver(input, experiment)
    await deliver(input, experiment, { status: 'KILLED', at: 5000 })
    const killed = await holds(url, experiment)
    expect(killed.find(({ name }) => name === input.run.id)).toMatchObject({ status: 'KILLED', end: 5000 })
    // It may still come.
    expect(killed.map(({ name }) => name)).not.toContain('rfa')
    // By hand, from the store alone, it stays killed.
    await trackStored(artifacts, input.run, { uri: url, experiment })
    expect(await holds(url, experiment)).toEqual(killed)

    await deliver(input, experiment)
    const names = killed.map(({ name }) => name)
    expect(await statuses(experiment)).toEqual(
      names.map((name) => [name, name === input.run.id ? 'RUNNING' : 'FINISHED']),
    )
    await trackStored(artifacts, input.run, { uri: url, experiment })
    expect(await statuses(experiment)).toContainEqual([input.run.id, 'RUNNING'])

    await store(input)
    await deliver(input, experiment, finished)
    const held = await holds(url, experiment)
    expectWhole(held, input)
    expect(held.find(({ name }) => name === input.run.id)).toMatchObject({
      status: 'FINISHED',
      end: finished.at,
      id: killed.find(({ name }) => name === input.run.id)?.id,
    })
  })

  test('a method that failed has a failed run with the reason, which gives way when it comes through', async () => {
    const whole = sampleInput()
    const { unlearn, evaluate, attack, compare } = candidate(whole, 'rfa')
    const reason = 'the loss is not finite'
    const input = withoutStages(
      whole,
      [unlearn, evaluate, attack, compare],
      [{ title: 'unlearn by rfa', reason }],
    )
    const experiment = fresh()
    await store(input)
    await deliver(input, experiment, { status: 'FAILED', at: 7000 })
    const failed = await holds(url, experiment)
    expectWhole(failed, input)
    expect(failed.find(({ name }) => name === 'rfa')).toMatchObject({
      status: 'FAILED',
      tags: {
        'missing.ra': `unlearn by rfa failed: ${reason}`,
        'zeroshift.failed': `unlearn by rfa failed: ${reason}`,
      },
    })
    expect(failed.find(({ name }) => name === input.run.id)).toMatchObject({
      status: 'FAILED',
      tags: { 'zeroshift.failed': `unlearn by rfa: ${reason}` },
    })

    await deliver(input, experiment)
    await store(whole)
    await deliver(whole, experiment, finished)
    expectWhole(await holds(url, experiment), whole)
    expect((await statuses(experiment)).every(([, status]) => status === 'FINISHED')).toBe(true)
    expect(
      (await holds(url, experiment)).find(({ name }) => name === whole.run.id)?.tags['zeroshift.failed'],
    ).toBe('nothing')
  })

  test('a run that failed before it had a report is FAILED', async () => {
    const input = sampleInput()
    const experiment = fresh()
    await commit([input.manifests[input.run.plan.dataset.key]])
    const failed = [{ title: 'train gold', reason: 'the loss is not finite' }]
    await artifacts.putRun({ ...input.run, failed })
    await deliver(input, experiment, { status: 'FAILED', at: 7000 })
    const held = await holds(url, experiment)
    expect(held).toHaveLength(7)
    expect(held.every(({ status }) => status === 'FAILED')).toBe(true)
  })

  test('the same run of two stores is two runs; the same store delivers to two experiments', async () => {
    const input = sampleInput()
    const experiment = fresh()
    await store(input)
    await deliver(input, experiment, finished)
    const first = await holds(url, experiment)
    const other = testDirectory()
    artifacts = openArtifacts(other)
    await store(input)
    await deliver(input, experiment, finished)
    expect(await holds(url, experiment)).toHaveLength(2 * first.length)
    artifacts = openArtifacts(directory)
    const second = fresh()
    await deliver(input, second, finished)
    expectWhole(await holds(url, second), input)
  })

  test("the report is among the parent's artifacts, and a new one takes its place", async () => {
    const input = sampleInput()
    const experiment = fresh()
    await store(input)
    await deliver(input, experiment)
    const list = async () => {
      const parent = (await holds(url, experiment)).find(({ name }) => name === input.run.id)
      const { files = [] } = await ask<{ files?: { path: string }[] }>(
        url,
        `artifacts/list?run_id=${parent?.id}&path=report`,
      )
      const read = files.map(async ({ path }) => {
        const at = new URL(parent?.artifacts ?? '').pathname
        const response = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts${at}/${path}`)
        return [path, sha256(new Uint8Array(await response.arrayBuffer()))] as const
      })
      return Object.fromEntries(await Promise.all(read))
    }
    const stored = async () => {
      const found = await artifacts.store.list(`runs/${input.run.id}/report/`)
      const hashes = found.map(async ({ path }) => [
        `report/${path.split('/').at(-1)}`,
        sha256((await artifacts.store.get(path)) ?? ''),
      ])
      return Object.fromEntries(await Promise.all(hashes)) as Record<string, string>
    }
    expect(await list()).toEqual({})
    await deliver(input, experiment, finished)
    expect(Object.keys(await stored())).toContain('report/index.html')
    expect(await list()).toEqual(await stored())
    await artifacts.putReport(input.run.id, { 'report.md': 'another' })
    await deliver(input, experiment, finished)
    expect(await list()).toEqual(await stored())
  })

  test('files for a place that the server does not pass them on to are left out, with a note', async () => {
    const input = sampleInput()
    const experiment = fresh()
    await ask(url, 'experiments/create', {
      name: experiment,
      artifact_location: 's3://secret-bucket/x',
    })
    await store(input)
    const { notes } = await deliver(input, experiment, finished)
    expect(notes).toEqual([
      'files were not sent to MLflow: this server keeps them at s3://… and takes none for it over HTTP',
    ])
    expectWhole(await holds(url, experiment), input)
  })

  test('unlearned models and adapters are registered once, from the artifacts of their runs', async () => {
    const whole = sampleInput()
    const experiment = fresh()
    const model = new TextEncoder().encode('a model')
    const adapter = new TextEncoder().encode('an adapter')
    const config = new TextEncoder().encode('{}')
    const [modelBlob, adapterBlob, configBlob] = [
      await artifacts.putBlob(model),
      await artifacts.putBlob(adapter),
      await artifacts.putBlob(config),
    ]
    const outputs = (label: string) => ({
      model: modelBlob,
      ...(label !== 'finetune' && {
        'adapter_config.json': configBlob,
        'adapter_model.safetensors': adapterBlob,
      }),
    })
    const input = ['finetune', 'rfa', 'rfa mean'].reduce((changed, label) => {
      const { unlearn } = candidate(changed, label)
      return unlearn
        ? withManifest(changed, unlearn, (manifest) => ({ ...manifest, outputs: outputs(label) }))
        : changed
    }, whole)
    await store(input)
    const register = () =>
      track(artifacts, {
        run: input.run,
        tracking: { uri: url, experiment, register: true },
        ended: finished,
      })
    const races = await Promise.allSettled([register(), register(), register()])
    for (const outcome of races) if (outcome.status === 'rejected') throw outcome.reason
    expect(await register()).toEqual({ points: 0, runs: 0, notes: [] })
    await artifacts.store.delete(`runs/${input.run.id}/tracking/delivered.json`)
    await register()

    const held = await holds(url, experiment)
    expectWhole(held, input)
    const search = new URLSearchParams({ filter: `name LIKE '${experiment}-%'`, max_results: '100' })
    const { model_versions: versions } = await ask<{
      model_versions: { name: string; source: string; run_id: string; tags: unknown }[]
    }>(url, `model-versions/search?${search.toString()}`)
    const adapters = ['rfa', 'rfa mean'].map((label) => `${experiment}-${label}-adapter`)
    expect(versions.map(({ name }) => name).sort()).toEqual(
      [`${experiment}-finetune`, `${experiment}-rfa`, `${experiment}-rfa mean`, ...adapters].sort(),
    )
    const rfa = held.find(({ name }) => name === 'rfa')
    expect(versions.find(({ name }) => name === `${experiment}-rfa`)).toMatchObject({
      run_id: rfa?.id,
      source: `${rfa?.artifacts}/model`,
      tags: [{ key: 'zeroshift.stage', value: candidate(input, 'rfa').unlearn?.key }],
    })
    const at = new URL(rfa?.artifacts ?? '').pathname
    const read = async (path: string) =>
      (await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts${at}/${path}`)).text()
    expect(await read('model/model.safetensors')).toBe('a model')
    expect(await read('adapter/adapter_model.safetensors')).toBe('an adapter')
    expect(await read('adapter/adapter_config.json')).toBe('{}')
  })

  test('by hand: the command sends what is missing, says so, and needs to know where to', async () => {
    const input = sampleInput()
    const experiment = input.run.spec.name
    const deliverByHand = (...args: string[]) =>
      zeroshift(directory, 'track', input.run.id, '--store', directory, ...args).ended
    await store(input)
    const aimless = await deliverByHand()
    expect(aimless).toMatchObject({ code: 2 })
    expect(aimless.stderr).toContain('was started without an MLflow server; name one with --tracking')

    const first = await deliverByHand('--tracking', url)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).toMatch(/^Sent \d+ points to 7 MLflow runs\.\n$/)
    expectWhole(await holds(url, experiment), input)
    expect((await statuses(experiment)).every(([, status]) => status === 'FINISHED')).toBe(true)

    // A run with a server of its own: its end was kept when it came.
    await artifacts.putRun({ ...input.run, failed: [], settings: { tracking: { uri: url } } })
    await deliver(input, experiment, finished)
    const second = await deliverByHand()
    expect(second).toMatchObject({ code: 0, stdout: 'MLflow has everything already.\n' })
  })

  test('credentials are in no error and in nothing that is kept or sent', async () => {
    const input = sampleInput()
    const experiment = fresh()
    await store(input)
    vi.stubEnv('MLFLOW_TRACKING_USERNAME', 'somebody')
    vi.stubEnv('MLFLOW_TRACKING_PASSWORD', 'hunter2')
    vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'token-hunter2')
    const secrets = ['hunter2', Buffer.from('somebody:hunter2').toString('base64')]
    try {
      for (const uri of [url, url.replace('//', '//somebody:hunter2@')])
        await track(artifacts, { run: input.run, tracking: { uri, experiment }, ended: finished })
      const tracking = { uri: 'http://somebody:hunter2@127.0.0.1:9', experiment }
      const away = await errorOf(track(artifacts, { run: input.run, tracking }))
      const kept = (await artifacts.store.list(`runs/${input.run.id}/tracking/`)).map(async ({ path }) =>
        new TextDecoder().decode(await artifacts.store.get(path)),
      )
      const everything = [
        String(away),
        JSON.stringify(away, Object.getOwnPropertyNames(away)),
        JSON.stringify(await holds(url, experiment)),
        ...(await Promise.all(kept)),
      ].join('\n')
      expect(String(away)).toContain('cannot be reached')
      for (const secret of secrets) expect(everything).not.toContain(secret)
    } finally {
      vi.unstubAllEnvs()
    }
  })
})
