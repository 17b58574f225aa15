import { unlink } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { HeartbeatDetails } from '../../../../activities/runtime/heartbeat-details.ts'
import { stageActivity, type StageBody, type StageDone } from '../../../../activities/runtime/stage.ts'
import { Artifacts, openArtifacts } from '../../../../artifacts/artifacts.ts'
import { stageFolder } from '../../../../artifacts/format/layout.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { OtherCodeError } from '../../../../activities/runtime/held-code.ts'
import { Lease } from '../../../../artifacts/progress/lease.ts'
import { digestOf } from '../../../../common/canonical.ts'
import { MathError, UserError } from '../../../../common/errors.ts'
import { manifestDigest } from '../../../../experiment/records/manifest.ts'
import { plan as planOf } from '../../../../experiment/plan/plan.ts'
import { newSigningKey } from '../../../../signatures/keys.ts'
import { errorOf } from '../../../support/errors.ts'
import { quietEnvironment } from '../../../support/activity-environment.ts'
import { testDirectory } from '../../../support/directories.ts'
import { sampleRun } from '../../../support/run.ts'

let store: string
let artifacts: Artifacts
const { plan } = sampleRun().run

beforeEach(() => {
  store = testDirectory()
  artifacts = openArtifacts(store)
})

const readData: StageBody<'dataset'> = () =>
  Promise.resolve({
    outputs: { dataset: Uint8Array.of(1, 2, 3) },
    metrics: { train: 3, validation: 0, test: 1 },
    seconds: 0.5,
  })

const splitData: StageBody<'split'> = ({ inputs }) =>
  Promise.resolve({
    outputs: {},
    metrics: {
      retained: inputs.dataset.metrics.train - 1,
      forget: 1,
      validation: 0,
      attackTest: 1,
      test: 0,
      forgottenTest: 0,
      forgottenClasses: [],
    },
    seconds: 0.25,
  })

function dataset(body: StageBody<'dataset'>, environment = quietEnvironment()): Promise<StageDone> {
  const activity = stageActivity('dataset', () => Promise.resolve(body))
  return environment.run(activity, { stage: plan.dataset, settings: { store } })
}

function split(body: StageBody<'split'>): Promise<StageDone> {
  const activity = stageActivity('split', () => Promise.resolve(body))
  const task = { stage: plan.split, settings: { store } }
  return quietEnvironment().run(activity, task)
}

/** The error that a promise is rejected with, or undefined when it is fulfilled. */
async function thrownBy(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('a stage', () => {
  test('leaves its blobs and a manifest that names its inputs', async () => {
    await dataset(readData)
    const done = await split(splitData)
    const input = await artifacts.manifest(plan.dataset)
    const manifest = await artifacts.manifest(plan.split)
    if (!input?.outputs.dataset || !manifest) throw new Error('a manifest is missing')

    expect(await artifacts.getBlob(input.outputs.dataset)).toEqual(Buffer.of(1, 2, 3))
    expect(manifest.inputDigests).toEqual({ dataset: manifestDigest(input) })
    expect(manifest.metrics.retained).toBe(2)
    expect(manifest.clock).toMatchObject({ seconds: 0.25, environment: { node: process.version } })
    expect(done).toEqual({
      key: plan.split.key,
      digest: manifestDigest(manifest),
      cached: false,
      seconds: 0.25,
    })
  })

  test('that is kept is answered without loading its body', async () => {
    const first = await dataset(readData)
    const activity = stageActivity('dataset', () => Promise.reject(new Error('loaded')))
    const task = { stage: plan.dataset, settings: { store } }
    expect(await quietEnvironment().run(activity, task)).toEqual({ ...first, cached: true })
  })

  test('that an earlier attempt finished without tidying up is tidied up', async () => {
    await dataset(readData)
    const left = `${stageFolder(plan.dataset)}lease/000001.json`
    await artifacts.store.put(left, Buffer.from('{}'))
    await dataset(readData)
    expect(await artifacts.store.get(left)).toBeDefined()
    await dataset(readData, quietEnvironment({ attempt: 2 }))
    expect(await artifacts.store.get(left)).toBeUndefined()
  })

  test('whose blob is gone is computed again', async () => {
    await dataset(readData)
    const manifest = await artifacts.manifest(plan.dataset)
    const { sha256 = '' } = manifest?.outputs.dataset ?? {}
    await unlink(fileURLToPath(artifacts.store.locate(`blobs/sha256/${sha256.slice(0, 2)}/${sha256}`)))
    expect(await dataset(readData)).toMatchObject({ cached: false })
    expect(await artifacts.complete(plan.dataset)).toEqual(manifest)
  })

  test('that another worker finished first answers with what stands', async () => {
    const slower: StageBody<'dataset'> = async (context) => {
      await dataset(readData)
      return { ...(await readData(context)), metrics: { train: 99, validation: 0, test: 1 } }
    }
    const { digest } = await dataset(slower)
    const standing = await artifacts.manifest(plan.dataset)
    expect(standing?.metrics.train).toBe(3)
    expect(digest).toBe(standing && manifestDigest(standing))
  })

  describe('that a worker with a key computes', () => {
    const signer = newSigningKey()
    const signed = (body: StageBody<'dataset'>) =>
      quietEnvironment().run(
        stageActivity('dataset', () => Promise.resolve(body), { signer }),
        { stage: plan.dataset, settings: { store } },
      )
    const signatures = async () =>
      (await artifacts.store.list(`${stageFolder(plan.dataset)}signatures/`)).map(({ path }) => path)
    const own = `${stageFolder(plan.dataset)}signatures/${signer.publicKey.id}.json`

    test('is signed, also where the process ends right after it has committed', async () => {
      const interrupted: StageBody<'dataset'> = (context) => {
        vi.spyOn(Artifacts.prototype, 'clear').mockRejectedValueOnce(new Error('killed'))
        return readData(context)
      }
      expect(await errorOf(signed(interrupted))).toMatchObject({ message: 'killed' })
      expect(await artifacts.manifest(plan.dataset)).toBeDefined()
      expect(await signatures()).toEqual([own])
      expect(await signed(readData)).toMatchObject({ cached: true })
      expect(await signatures()).toEqual([own])
    })

    test.each([
      ['the same result', 3, [own]],
      ['another result', 99, []],
    ])('and another worker finished first is signed where it came to %s: %d', async (_, train, expected) => {
      await dataset(readData)
      const standing = await artifacts.manifest(plan.dataset)
      if (!standing) throw new Error('no manifest')
      await artifacts.store.delete(`${stageFolder(plan.dataset)}manifest.json`)
      const slower: StageBody<'dataset'> = async (context) => {
        await artifacts.commit(standing)
        return { ...(await readData(context)), metrics: { train, validation: 0, test: 1 } }
      }
      await signed(slower)
      expect(await artifacts.manifest(plan.dataset)).toEqual(standing)
      expect(await signatures()).toEqual(expected)
    })

    test('has no manifest without a signature where that cannot be written', async () => {
      const put = vi
        .spyOn(FileStore.prototype, 'put')
        .mockImplementation((path) =>
          path === own ? Promise.reject(new Error('the disk is full')) : Promise.resolve(),
        )
      try {
        expect(await errorOf(signed(readData))).toMatchObject({ message: 'the disk is full' })
      } finally {
        put.mockRestore()
      }
      expect(await artifacts.manifest(plan.dataset)).toBeUndefined()
    })
  })

  test('whose input is gone says which', async () => {
    const error = await errorOf(split(splitData))
    expect(error.message).toMatch(/^the input 'dataset' of 'split by class' \(dataset [0-9a-f]{12}\)/)
  })

  test.each([
    ['UserError', new UserError('the file is truncated')],
    ['MathError', new MathError('the loss is not finite')],
  ])('that fails with a %s is not tried again', async (type, thrown) => {
    const error = await errorOf(
      dataset(() => Promise.reject(thrown)),
      ApplicationFailure,
    )
    expect(error).toMatchObject({ type, nonRetryable: true, message: thrown.message })
    expect(await artifacts.manifest(plan.dataset)).toBeUndefined()
  })

  test('whose code the worker does not have is left to another worker, unless its result is kept', async () => {
    const code = { check: () => Promise.reject(new OtherCodeError('other code')) }
    const activity = stageActivity('dataset', () => Promise.reject(new Error('loaded')), { code })
    const task = { stage: plan.dataset, settings: { store } }
    // Anything but an ApplicationFailure that is not retryable is tried again.
    await errorOf(quietEnvironment().run(activity, task), OtherCodeError)
    const done = await dataset(readData)
    expect(await quietEnvironment().run(activity, task)).toEqual({ ...done, cached: true })
  })

  test('that was planned with changed code says so in its manifest, and in its key', async () => {
    const { run } = sampleRun()
    const { dataset: stage } = planOf(run.spec, run.facts, { dataset: 'ab'.repeat(32) })
    const activity = stageActivity('dataset', () => Promise.resolve(readData))
    await quietEnvironment().run(activity, { stage, settings: { store } })
    expect(await artifacts.manifest(stage)).toMatchObject({ code: 'ab'.repeat(32), version: 1 })
    const { code: _, ...forged } = stage
    expect(
      await errorOf(quietEnvironment().run(activity, { stage: forged, settings: { store } })),
    ).toMatchObject({
      type: 'UserError',
    })
  })

  test("that fails for the world's reasons fails as it did, to be tried again", async () => {
    const thrown = new Error('the disk is full')
    expect(await errorOf(dataset(() => Promise.reject(thrown)))).toBe(thrown)
  })
})

describe('a stage that another run computes', () => {
  const heartbeatSeconds = 30
  const settings = () => ({ store, heartbeatSeconds })
  const activity = stageActivity('dataset', () => Promise.resolve(readData))
  const hold = async () => {
    const lease = await Lease.take(artifacts, plan.dataset, { activity: 'other', attempt: 1 }, () => false)
    if (!(lease instanceof Lease)) throw new Error('held already')
    return lease
  }
  /** An attempt that is due at some second, after one that said `heartbeatDetails`. */
  async function attempt(number: number, second: number, heartbeatDetails?: unknown) {
    const environment = quietEnvironment({
      attempt: number,
      currentAttemptScheduledTimestampMs: 1e12 + 1000 * second,
      heartbeatDetails,
    })
    let said: HeartbeatDetails | undefined
    environment.on('heartbeat', (beat: HeartbeatDetails) => (said = beat))
    const task = { stage: plan.dataset, settings: settings() }
    const thrown = await thrownBy(environment.run(activity, task))
    return { said, thrown: thrown as ApplicationFailure | undefined }
  }

  test('makes room at once, to be looked for again: soon at first, later three times a heartbeat', async () => {
    await hold()
    const delays: unknown[] = []
    for (const number of [1, 2, 30, 1000]) {
      const { thrown } = await attempt(number, 0)
      expect(thrown).toMatchObject({
        type: 'ComputedElsewhereError',
        category: 'BENIGN',
        message: 'another run computes this stage',
      })
      delays.push(Math.round(Number(thrown?.nextRetryDelay)))
    }
    expect(delays).toEqual([250, 275, 3966, 10_000])
  })

  test('is asked for anew by the workflow before the waiting has used up the attempts', async () => {
    await hold()
    expect((await attempt(199, 0)).thrown?.nonRetryable).toBe(false)
    expect((await attempt(200, 0)).thrown?.nonRetryable).toBe(true)
  })

  test('is taken over when its holder showed no life for two heartbeats between attempts, and not before', async () => {
    const lease = await hold()
    const first = await attempt(1, 0)
    // Nobody knows how long it waited for a worker.
    const second = await attempt(2, 500, first.said)
    const alive = await attempt(3, 560, second.said)
    expect(alive.thrown?.type).toBe('ComputedElsewhereError')
    await lease.renew()
    const renewed = await attempt(4, 561, alive.said)
    const again = await attempt(5, 571, renewed.said)
    const still = await attempt(6, 630, again.said)
    expect(still.thrown?.type).toBe('ComputedElsewhereError')
    const last = await attempt(7, 632, still.said)
    expect(last).toEqual({ said: { attempt: 7 }, thrown: undefined })
    expect(await artifacts.complete(plan.dataset)).toBeDefined()
  })

  test('is answered from the store once it is there', async () => {
    const lease = await hold()
    const { thrown } = await attempt(1, 0)
    expect(thrown?.type).toBe('ComputedElsewhereError')
    await lease.release()
    await dataset(readData)
    const task = { stage: plan.dataset, settings: settings() }
    expect(await quietEnvironment({ attempt: 2 }).run(activity, task)).toMatchObject({ cached: true })
  })
})

describe('a stage that runs out of memory', () => {
  const { kind, version, inputs } = plan.dataset
  const params = { ...plan.dataset.params, training: { batchSize: 6 } }
  const stage = { ...plan.dataset, params, key: digestOf({ kind, version, params, inputs }) }
  const tensorflow = { version: '2.21.0', device: 'GPU', gpu: 'NVIDIA H100 80GB HBM3', threads: 2 } as const
  const oom = new Error(
    'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[128,64,112,112] and type float',
  )
  let attempts = 0
  beforeEach(() => (attempts = 0))
  /**
   * Makes one attempt, whose batches fit in so many micro-batches. No heartbeat of an earlier one
   * has arrived.
   */
  async function attempt(fitting: number, failing: () => void | Promise<void> = () => undefined) {
    const seen: (number | undefined)[] = []
    const body: StageBody<'dataset'> = async (context) => {
      seen.push(context.host.microBatches)
      if ((context.host.microBatches ?? 1) < fitting) {
        await failing()
        throw oom
      }
      return { ...(await readData(context)), tensorflow }
    }
    const activity = stageActivity('dataset', () => Promise.resolve(body))
    const environment = quietEnvironment({ attempt: ++attempts })
    const thrown = await thrownBy(environment.run(activity, { stage, settings: { store } }))
    return { microBatches: seen[0], thrown: thrown as ApplicationFailure | undefined }
  }
  const leave = async (microBatches: number) => {
    const lease = await Lease.take(artifacts, stage, { activity: 'earlier', attempt: 1 }, () => false)
    if (!(lease instanceof Lease)) throw new Error('held already')
    await lease.saveMicroBatches(microBatches)
    await lease.release()
  }
  const left = async () => (await artifacts.store.list(stageFolder(stage))).map(({ path }) => path)

  test('is tried again with twice as many micro-batches, which its manifest records', async () => {
    const first = await attempt(3)
    expect(first).toMatchObject({ microBatches: 1 })
    expect(first.thrown).toMatchObject({ type: 'OutOfMemoryError', nonRetryable: false })
    expect(first.thrown?.message).toMatch(
      /OOM when allocating tensor with shape\[128,64,112,112\].*It is tried again, 3 samples at a time\.$/,
    )
    expect(await attempt(3)).toMatchObject({ microBatches: 2, thrown: { type: 'OutOfMemoryError' } })
    expect(await attempt(3)).toMatchObject({ microBatches: 4, thrown: undefined })

    const manifest = await artifacts.manifest(stage)
    if (!manifest) throw new Error('the manifest is missing')
    expect(manifest.clock.environment.tensorflow).toEqual({ ...tensorflow, batchParts: 4 })
    // What was asked for, and what is kept under its key, is what it is without.
    const { clock: _, ...computed } = manifest
    expect(JSON.stringify(computed)).not.toContain('batchParts')
    expect(await left()).toEqual([`${stageFolder(stage)}manifest.json`])
  })

  test('whose batches fit says nothing of micro-batches', async () => {
    expect(await attempt(1)).toMatchObject({ microBatches: 1, thrown: undefined })
    expect((await artifacts.manifest(stage))?.clock.environment.tensorflow).toEqual(tensorflow)
  })

  test('is gone on with in as many micro-batches by another run', async () => {
    await leave(4)
    expect(await attempt(3)).toMatchObject({ microBatches: 4, thrown: undefined })
  })

  test('that another attempt has taken over tells the next one nothing', async () => {
    const { thrown } = await attempt(3, async () => {
      const later = await Lease.take(artifacts, stage, { activity: 'other', attempt: 1 }, () => true)
      expect(later).toBeInstanceOf(Lease)
    })
    expect(thrown?.message).toMatch(/another attempt has taken '.*' over/)
    expect((await left()).filter((path) => path.endsWith('parts.json'))).toEqual([])
  })

  test('fails with what would fit once there is nothing left to cut, and begins with whole batches when asked for again', async () => {
    await leave(8)
    const { microBatches, thrown } = await attempt(1000)
    expect(microBatches).toBe(8)
    expect(thrown).toMatchObject({ type: 'OutOfMemoryError', nonRetryable: true })
    expect(thrown?.message).toMatch(
      /does not fit into memory, even with one sample of a batch at a time: .*OOM.*A smaller model or smaller images would fit, or a worker whose device has more memory\.$/,
    )
    expect(await attempt(1)).toMatchObject({ microBatches: 1, thrown: undefined })
  })
})

describe('between steps', () => {
  test('the progress goes out as heartbeats, no more than a few a second', async () => {
    const environment = quietEnvironment()
    const beats: unknown[] = []
    environment.on('heartbeat', (details: unknown) => beats.push(details))
    await dataset(async (context) => {
      for (let step = 1; step <= 1000; step++) await context.host.step({ step, steps: 1000, loss: 1 / step })
      return readData(context)
    }, environment)
    expect(beats[0]).toEqual({ step: 1, steps: 1000, loss: 1, attempt: 1 })
    expect(beats.length).toBeLessThan(20)
  })

  test('other work gets its turn', async () => {
    let turns = 0
    await dataset(async (context) => {
      setImmediate(() => turns++)
      await context.host.step({})
      await context.host.step({})
      return readData(context)
    })
    expect(turns).toBe(1)
  })

  test('a cancelled stage stops, and leaves nothing', async () => {
    const environment = quietEnvironment()
    let steps = 0
    const error = await errorOf(
      dataset(async (context) => {
        for (;;) {
          await context.host.step({ step: ++steps })
          if (steps === 3) environment.cancel()
        }
      }, environment),
    )
    expect(error).toBeInstanceOf(CancelledFailure)
    expect(steps).toBe(4)
    expect(await artifacts.manifest(plan.dataset)).toBeUndefined()
  })
})
