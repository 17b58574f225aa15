import { stageFolder } from '../../../../artifacts/format/layout.ts'
import { LeaseLostError } from '../../../../artifacts/progress/lease.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Checkpointer, type CheckpointerOptions } from '../../../../activities/runtime/checkpointer.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import type { TensorFlowEnvironment } from '../../../../experiment/records/manifest.ts'
import { sampleRun } from '../../../support/run.ts'

const { dataset, original } = sampleRun().run.plan
const device: TensorFlowEnvironment = { version: '2.21.0', device: 'CPU', threads: 2, oneDnn: true }
let directory: string
let artifacts: Artifacts
let saved: string[]
let failures: unknown[]
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zeroshift-checkpointer-'))
  artifacts = openArtifacts(directory)
  saved = []
  failures = []
  // The time passes only when a test says so.
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await rm(directory, { recursive: true })
})

const opened = (options: Partial<CheckpointerOptions> = {}) =>
  Checkpointer.open({
    artifacts,
    stage: original,
    checkpointSeconds: 10,
    inputs: 'these',
    tensorflow: () => Promise.resolve(device),
    confirm: () => Promise.resolve(),
    onSaved: (path) => saved.push(path),
    onFailed: (error) => failures.push(error),
    ...options,
  })

/** A snapshot that takes some seconds. */
const at = (step: number, seconds = 0) => {
  vi.advanceTimersByTime(1000 * seconds)
  return Promise.resolve({ step, vectors: { weights: Float32Array.of(step) }, notes: { step } })
}

const pass = (seconds: number) => vi.advanceTimersByTime(1000 * seconds)

describe('a checkpoint', () => {
  test('is what the next attempt continues from, with the seconds of both', async () => {
    const first = await opened()
    expect(first.resumed).toBeUndefined()
    expect(first.savedStep).toBe(0)
    pass(7)
    await first.save(() => at(40))
    expect(first.savedStep).toBe(40)
    expect(saved).toHaveLength(1)
    expect((await artifacts.store.list(stageFolder(original))).map(({ path }) => path)).toEqual(saved)

    const second = await opened()
    expect(second.resumed).toMatchObject({ step: 40, seconds: 7, notes: { step: 40 }, tensorflow: device })
    expect(second.resumed?.vectors).toEqual({ weights: Float32Array.of(40) })
    expect(second.savedStep).toBe(40)
    const { result, seconds } = await second.timer.timed(() => {
      pass(5)
      return 'done'
    })
    expect(result).toBe('done')
    expect(seconds).toBeCloseTo(12)
  })

  test.each<[string, Partial<CheckpointerOptions>]>([
    ['other inputs', { inputs: 'others' }],
    ['another device', { tensorflow: () => Promise.resolve({ ...device, threads: 4 }) }],
    ['batches in parts', { tensorflow: () => Promise.resolve({ ...device, batchParts: 2 }) }],
  ])('is not used with %s', async (_, other) => {
    await (await opened()).save(() => at(40))
    expect((await opened(other)).resumed).toBeUndefined()
    expect((await opened()).resumed?.step).toBe(40)
  })

  test('of a stage that uses no device does not load TensorFlow', async () => {
    const tensorflow = () => Promise.reject(new Error('loaded'))
    const checkpointer = await opened({ stage: dataset, tensorflow })
    await checkpointer.save(() => at(3))
    const next = await opened({ stage: dataset, tensorflow })
    expect(next.resumed).toMatchObject({ step: 3 })
    expect(next.resumed).not.toHaveProperty('tensorflow')
  })

  test('is not written by an attempt that has lost its lease', async () => {
    const confirm = () => Promise.reject(new LeaseLostError('another attempt has taken this stage over'))
    const checkpointer = await opened({ confirm })
    await expect(checkpointer.save(() => at(40))).rejects.toBeInstanceOf(LeaseLostError)
    pass(10)
    await expect(checkpointer.saveWhenDue(() => at(40))).rejects.toBeInstanceOf(LeaseLostError)
    expect(saved).toEqual([])
    expect(failures).toEqual([])
    expect(await artifacts.store.list(stageFolder(original))).toEqual([])
  })
})

describe('checkpoints at intervals', () => {
  /** Offers a snapshot and returns the step that is saved then. */
  async function offered(checkpointer: Checkpointer, step: number, seconds = 0): Promise<number> {
    await checkpointer.saveWhenDue(() => at(step, seconds))
    return checkpointer.savedStep
  }

  test('are saved when the interval has passed since the last one', async () => {
    const checkpointer = await opened()
    pass(9)
    expect(await offered(checkpointer, 1)).toBe(0)
    pass(1)
    expect(await offered(checkpointer, 2)).toBe(2)
    pass(9)
    expect(await offered(checkpointer, 3)).toBe(2)
    pass(1)
    expect(await offered(checkpointer, 4)).toBe(4)
  })

  test('are further apart if one takes long, so that they cost less than 2% of the time', async () => {
    const checkpointer = await opened()
    pass(10)
    expect(await offered(checkpointer, 1, 2)).toBe(1)
    pass(119)
    expect(await offered(checkpointer, 2)).toBe(1)
    pass(1)
    expect(await offered(checkpointer, 3)).toBe(3)
  })

  test('that cannot be saved are reported, and the next one is tried after the interval', async () => {
    const checkpointer = await opened()
    const full = new Error('the disk is full')
    vi.spyOn(FileStore.prototype, 'putIfAbsent').mockRejectedValueOnce(full)
    pass(10)
    expect(await offered(checkpointer, 1)).toBe(0)
    expect(failures).toEqual([full])
    pass(9)
    expect(await offered(checkpointer, 2)).toBe(0)
    pass(1)
    expect(await offered(checkpointer, 3)).toBe(3)
  })
})
