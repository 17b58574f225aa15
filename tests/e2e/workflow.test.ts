import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { WorkflowFailedError } from '@temporalio/client'
import { ApplicationFailure, CancelledFailure } from '@temporalio/common'
import { beforeAll, describe, expect, test } from 'vitest'
import { DamagedInputError } from '../../activities/runtime/errors.ts'
import type { Activities, TrackTask } from '../../activities/index.ts'
import { progressOf } from '../../cli/output/run-progress.ts'
import { MathError, UserError } from '../../common/errors.ts'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import type { RunInput, RunProgress, RunResult, StageProgress } from '../../experiment/records/run.ts'
import type { Stage, StageRef } from '../../experiment/stages/stage.ts'
import { pauseSignal, resumeSignal, trackingId, workflowId, workflowType } from '../../workflows/names.ts'
import { errorOf } from '../support/errors.ts'
import { recording, untilCancelled } from '../support/recording.ts'
import { forFile } from '../support/release.ts'
import { sampleRun } from '../support/run.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

type Handle = Awaited<ReturnType<typeof start>>

const tracked = (input: RunInput): RunInput => ({
  ...input,
  settings: { ...input.settings, tracking: { uri: 'http://127.0.0.1:1' } },
})
const isTraining = ({ kind, state }: StageProgress) => kind === 'train' && state === 'running'

function start(input: RunInput) {
  return server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [input],
  })
}

async function failureOf(promise: Promise<unknown>): Promise<string> {
  return (await errorOf(promise, WorkflowFailedError)).cause?.message ?? ''
}

describe('a run', () => {
  test('that is cancelled stops its stages, and reports nothing', async () => {
    const input = sampleRun({ name: 'cancelled' })
    const { activities, calls, failed } = recording()
    let stopped = false
    const training: Activities['train'] = async (task) => {
      calls.push(task.stage as Stage)
      try {
        return await untilCancelled(task)
      } finally {
        stopped = true
      }
    }
    const error = await withWorker(server.address, { ...activities, train: training }, async () => {
      const handle = await start(input)
      while (!calls.some(({ kind }) => kind === 'train'))
        await new Promise((resolve) => setTimeout(resolve, 5))
      await handle.cancel()
      return errorOf(handle.result(), WorkflowFailedError)
    })
    expect(error.cause).toBeInstanceOf(CancelledFailure)
    expect(stopped).toBe(true)
    expect(failed).toEqual([])
  })

  test('executes every stage once, each after its inputs', async () => {
    const input = sampleRun({ name: 'order' })
    const { activities, calls } = recording()
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const stages = stagesOf(input.run.plan)
    expect(calls.map(({ key }) => key).sort()).toEqual(stages.map(({ key }) => key).sort())
    const position = new Map(calls.map(({ key }, i) => [key, i]))
    for (const { key, inputs } of stages)
      for (const { key: needed } of Object.values(inputs as Record<string, StageRef>))
        expect(position.get(needed)).toBeLessThan(position.get(key) ?? -1)
    expect(result).toMatchObject({
      id: input.run.id,
      computed: stages.length,
      cached: 0,
      stageSeconds: stages.length,
      report: 'file:///report',
      failed: [],
      notes: [],
    })
  })

  test('answers a query with the state of every stage', async () => {
    const input = sampleRun({ name: 'query' })
    const { activities } = recording()
    const progress = await withWorker(server.address, activities, async () => {
      const handle = await start(input)
      await handle.result()
      return handle.query<RunProgress>('progress')
    })
    expect(progress.stages.map(({ key }) => key)).toEqual(stagesOf(input.run.plan).map(({ key }) => key))
    expect(progress.stages.every(({ state, seconds }) => state === 'computed' && seconds === 1)).toBe(true)
  })

  test('leaves out a method whose mathematics failed, and only that one', async () => {
    const input = sampleRun({ name: 'mathematics' })
    const broken = input.run.plan.candidates.find(({ method }) => method === 'finetune')
    const { activities, calls, failed } = recording((stage) => {
      if (stage.key === broken?.unlearn?.key) throw new MathError('the loss is not finite at step 3')
    })
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const left = [{ title: 'unlearn by finetune', reason: 'the loss is not finite at step 3' }]
    expect(result.failed).toEqual(left)
    expect(failed).toEqual([left])
    expect(calls.filter(({ key }) => key === broken?.unlearn?.key)).toHaveLength(1)
    const missing = [broken?.evaluate.key, broken?.attack.key, broken?.compare.key]
    expect(calls.some(({ key }) => missing.includes(key))).toBe(false)
    expect(result.computed).toBe(stagesOf(input.run.plan).length - 4)
  })

  test('attacks every model by its shadow models, which wait for the data alone', async () => {
    const input = sampleRun({ name: 'shadows', shadows: 8 })
    const { activities, calls } = recording()
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const stages = stagesOf(input.run.plan)
    expect(result).toMatchObject({ computed: stages.length, failed: [] })
    const position = new Map(calls.map(({ key }, i) => [key, i]))
    for (const { key, inputs } of stages)
      for (const { key: needed } of Object.values(inputs as Record<string, StageRef>))
        expect(position.get(needed)).toBeLessThan(position.get(key) ?? -1)
    // The first models of the run come before the shadows in line; nothing else has to.
    const firstShadow = calls.findIndex(({ kind }) => kind === 'shadow')
    expect(firstShadow).toBeLessThan(calls.findIndex(({ kind }) => kind === 'compare'))
  })

  test('loses its attacks by shadow models, and nothing else, with one of these', async () => {
    const input = sampleRun({ name: 'shadow', shadows: 8 })
    const broken = input.run.plan.shadow?.models[5]
    const { activities, calls, failed } = recording((stage) => {
      if (stage.key === broken?.key) throw new MathError('the loss is not finite at step 3')
    })
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const left = [{ title: 'train shadow 6', reason: 'the loss is not finite at step 3' }]
    expect(result.failed).toEqual(left)
    expect(failed).toEqual([left])
    expect(calls.some(({ kind }) => kind === 'pool' || kind === 'membership')).toBe(false)
    const lost = stagesOf(input.run.plan).filter(({ kind }) => kind === 'pool' || kind === 'membership')
    expect(result.computed).toBe(stagesOf(input.run.plan).length - 1 - lost.length)
  })

  test('asks what features still know of every model, and loses one answer alone with one failure', async () => {
    const input = sampleRun({ name: 'features', features: true })
    const { activities, calls, failed } = recording(({ title }) => {
      if (title === 'relearn finetune') throw new MathError('the loss is not finite at step 3')
    })
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const left = [{ title: 'relearn finetune', reason: 'the loss is not finite at step 3' }]
    expect(result.failed).toEqual(left)
    expect(failed).toEqual([left])
    const stages = stagesOf(input.run.plan)
    expect(result.computed).toBe(stages.length - 1)
    // The original is no row here: it is evaluated for its accuracy on the forget set alone.
    expect(calls.map(({ title }) => title)).toContain('evaluate original')
    const position = new Map(calls.map(({ key }, i) => [key, i]))
    for (const { key, inputs } of stages)
      for (const { key: needed } of Object.values(inputs as Record<string, StageRef>))
        expect(position.get(needed)).toBeLessThan(position.get(key) ?? -1)
  })

  test('tunes its methods, which wait for their rankings, and gold does not', async () => {
    const input = sampleRun({ name: 'tuned', trials: 4 })
    const { activities, calls } = recording()
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    const stages = stagesOf(input.run.plan)
    expect(result).toMatchObject({ computed: stages.length, failed: [] })
    expect(calls.filter(({ kind }) => kind === 'trial')).toHaveLength(12)
    const position = new Map(calls.map(({ key }, i) => [key, i]))
    for (const { key, inputs } of stages)
      for (const { key: needed } of Object.values(inputs as Record<string, StageRef>))
        expect(position.get(needed)).toBeLessThan(position.get(key) ?? -1)
    const firstUnlearning = calls.findIndex(({ kind }) => kind === 'unlearn')
    expect(calls.findIndex(({ title }) => title === 'attack retrain')).toBeLessThan(firstUnlearning)
  })

  test('loses the method whose tuning failed, and only that one', async () => {
    const input = sampleRun({ name: 'tuning', trials: 4 })
    const reason = 'all 4 variants failed: the loss is not finite'
    const { activities, calls } = recording(({ title }) => {
      if (title === 'rank finetune, round 1') throw new MathError(reason)
    })
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())

    expect(result.failed).toEqual([{ title: 'rank finetune, round 1', reason }])
    const titles = calls.map(({ title }) => title)
    expect(titles).toContain('compare rfa')
    for (const title of ['try finetune, place 1 of round 2', 'unlearn by finetune', 'compare finetune'])
      expect(titles).not.toContain(title)
  })

  test('fails when the tuning leaves no method', async () => {
    const input = sampleRun({ name: 'untunable', trials: 4 })
    const { activities } = recording(({ title }) => {
      if (title === 'train original, tuning seed 1') throw new MathError('the loss is not finite')
    })
    const reason = await withWorker(server.address, activities, async () =>
      failureOf((await start(input)).result()),
    )
    expect(reason).toBe('no method came through: train original, tuning seed 1: the loss is not finite')
  })

  test("fails on the user's error in a stage that it cannot do without, without a second try", async () => {
    const input = sampleRun({ name: 'user' })
    const { activities, calls } = recording((stage) => {
      if (stage.kind === 'dataset') throw new UserError('the data file is truncated')
    })
    const reason = await withWorker(server.address, activities, async () =>
      failureOf((await start(input)).result()),
    )
    expect(reason).toBe('read digits: the data file is truncated')
    expect(calls).toHaveLength(1)
  })

  test('fails when gold fails: nothing could be compared', async () => {
    const input = sampleRun({ name: 'gold' })
    const { activities } = recording((stage) => {
      if (stage.key === input.run.plan.gold[0]?.key) throw new MathError('the loss is not finite')
    })
    const reason = await withWorker(server.address, activities, async () =>
      failureOf((await start(input)).result()),
    )
    expect(reason).toBe('train gold: the loss is not finite')
  })

  test('fails when no method comes through', async () => {
    const input = sampleRun({ name: 'nothing' })
    const { activities, failed } = recording((stage) => {
      if (stage.kind === 'unlearn') throw new MathError('the loss is not finite')
    })
    const reason = await withWorker(server.address, activities, async () =>
      failureOf((await start(input)).result()),
    )
    expect(reason).toMatch(
      /^no method came through: unlearn by finetune: the loss is not finite; unlearn by rfa: /,
    )
    expect(failed[0]).toHaveLength(2)
  })

  test('asks for nothing that is kept', async () => {
    const input = sampleRun({ name: 'kept' })
    const { dataset, split, original } = input.run.plan
    const kept = [dataset.key, split.key, original.key]
    const { activities, calls } = recording(undefined, kept)
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())
    expect(calls.some(({ key }) => kept.includes(key))).toBe(false)
    expect(result).toMatchObject({ cached: 3, computed: stagesOf(input.run.plan).length - 3 })
  })

  test("tries again after the world's errors", async () => {
    const input = sampleRun({ name: 'world' })
    const { activities, calls } = recording((stage, attempt) => {
      if (stage.kind === 'split' && attempt < 3) throw new Error('the disk is full')
    })
    const result = await withWorker(server.address, activities, async () => (await start(input)).result())
    expect(calls.filter(({ kind }) => kind === 'split')).toHaveLength(3)
    expect(result.failed).toEqual([])
  })

  test('is delivered a tenth of the time at most, and at its end at once', async () => {
    const input = tracked(sampleRun({ name: 'rests', shadows: 12 }))
    const { activities } = recording()
    const deliveries: { readonly began: number; readonly took: number; readonly isLast: boolean }[] = []
    const track: Activities['track'] = async ({ ended }) => {
      const began = performance.now()
      await sleep(200)
      deliveries.push({ began, took: performance.now() - began, isLast: ended !== undefined })
      return { points: 0, runs: 0, notes: [] }
    }
    // The run is long enough for three, whatever these take here.
    const shadow: Activities['shadow'] = async (task) => {
      await sleep(200)
      for (let i = 0; i < 100 && deliveries.length < 3; i++) await sleep(200)
      return activities.shadow(task)
    }
    await withWorker(server.address, { ...activities, track, shadow }, async () => {
      await (await start(input)).result()
      await server.client.workflow.getHandle(trackingId(input.run.id)).result()
    })
    expect(deliveries.length).toBeGreaterThan(2)
    deliveries.slice(1, -1).forEach(({ began }, i) => {
      const before = deliveries[i]
      if (before) expect(began - before.began).toBeGreaterThan(9 * before.took)
    })
    expect(deliveries.map(({ isLast }) => isLast)).toEqual(
      deliveries.map((_, i) => i === deliveries.length - 1),
    )
  })

  test('is tracked beside itself, while it runs and at its end, and waits for nothing', async () => {
    const input = tracked(sampleRun({ name: 'tracking' }))
    const { activities } = recording()
    const tasks: TrackTask[] = []
    let away = true
    const track: Activities['track'] = (task) => {
      tasks.push(task)
      return away
        ? Promise.reject(new Error('nobody answers'))
        : Promise.resolve({ points: 0, runs: 0, notes: [] })
    }
    await withWorker(server.address, { ...activities, track }, async () => {
      const result = await (await start(input)).result()
      expect(result.notes).toEqual([])
      away = false
      await server.client.workflow.getHandle(trackingId(input.run.id)).result()
    })
    expect(tasks[0]?.ended).toBeUndefined()
    expect(tasks.at(-1)?.ended?.status).toBe('FINISHED')
  })

  test.each([
    ['FAILED', 'fails', (_: Handle) => Promise.resolve()],
    ['KILLED', 'is cancelled', (handle: Handle) => handle.cancel()],
    ['KILLED', 'is terminated', (handle: Handle) => handle.terminate()],
  ] as const)('is %s where it %s', async (status, how, end) => {
    const input = tracked(sampleRun({ name: how.replaceAll(' ', '-') }))
    const { activities } = recording((stage) => {
      if (status === 'FAILED' && stage.kind === 'train') throw new MathError('the loss is not finite')
    })
    const ends: (string | undefined)[] = []
    const track: Activities['track'] = ({ ended }) => {
      ends.push(ended?.status)
      return Promise.resolve({ points: 0, runs: 0, notes: [] })
    }
    const train = status === 'FAILED' ? activities.train : untilCancelled
    await withWorker(server.address, { ...activities, track, train }, async () => {
      const handle = await start(input)
      while (!(await handle.query<RunProgress>('progress')).stages.some(isTraining) && status !== 'FAILED')
        await sleep(20)
      await end(handle)
      await handle.result().catch(() => undefined)
      await server.client.workflow.getHandle(trackingId(input.run.id)).result()
    })
    expect(ends.at(-1)).toBe(status)
  })

  test('that is paused stops its stages, starts none, and goes on when it is resumed', async () => {
    const input = sampleRun({ name: 'paused' })
    const { activities, calls } = recording()
    let isFirst = true
    const train: Activities['train'] = async (task) => {
      if (!isFirst) return activities.train(task)
      isFirst = false
      return untilCancelled(task)
    }
    await withWorker(server.address, { ...activities, train }, async () => {
      const handle = await start(input)
      const progress = () => handle.query<RunProgress>('progress')
      while (!(await progress()).stages.some(isTraining)) await sleep(20)
      await handle.signal(pauseSignal)
      while ((await progress()).stages.some(({ state }) => state === 'running')) await sleep(20)
      expect((await progress()).paused).toBe(true)
      const before = calls.length
      await sleep(500)
      expect(calls).toHaveLength(before)
      await handle.signal(resumeSignal)
      expect((await handle.result()).computed).toBe(stagesOf(input.run.plan).length)
    })
  })

  test('whose stage finds what it reads damaged has that computed again, a few times at most', async () => {
    const input = sampleRun({ name: 'damaged' })
    const { split, original } = input.run.plan
    const once = recording((stage, attempt) => {
      if (stage.key === original.key && attempt === 1)
        throw new DamagedInputError('a byte is wrong', split.key)
    })
    await withWorker(server.address, once.activities, async () => (await start(input)).result())
    expect(once.calls.filter(({ key }) => key === split.key)).toHaveLength(2)
    expect(once.calls.filter(({ key }) => key === original.key)).toHaveLength(2)

    const always = recording((stage) => {
      if (stage.key === original.key) throw new DamagedInputError('a byte is wrong', split.key)
    })
    const again = sampleRun({ name: 'damaged-for-ever' })
    const reason = await withWorker(server.address, always.activities, async () =>
      failureOf((await start(again)).result()),
    )
    expect(reason).toBe('train original: a byte is wrong')
    expect(always.calls.filter(({ key }) => key === original.key)).toHaveLength(4)
  })

  test('asks anew for what another run has computed for long, and makes a pause of waiting for it', async () => {
    const input = sampleRun({ name: 'elsewhere' })
    const { original } = input.run.plan
    const { activities, calls } = recording((stage, attempt) => {
      if (stage.key === original.key && attempt <= 2)
        throw ApplicationFailure.create({
          message: 'another run computes this stage',
          type: 'ComputedElsewhereError',
          nonRetryable: attempt === 1,
          nextRetryDelay: '1h',
        })
    })
    await withWorker(server.address, activities, async () => {
      const handle = await start(input)
      const ofOriginal = async () => (await progressOf(handle)).stages.find(({ key }) => key === original.key)
      await expect.poll(ofOriginal, { timeout: 60_000 }).toMatchObject({ state: 'waiting', elsewhere: true })
      expect(calls.filter(({ key }) => key === original.key)).toHaveLength(2)
      await handle.signal(pauseSignal)
      const progress = () => handle.query<RunProgress>('progress')
      while ((await progress()).stages.some(({ state }) => state === 'running')) await sleep(20)
      await handle.signal(resumeSignal)
      expect((await handle.result()).computed).toBe(stagesOf(input.run.plan).length)
    })
    expect(calls.filter(({ key }) => key === original.key)).toHaveLength(3)
  })

  test('comes to the version of the workers that is the current one, and moves on with it', async () => {
    const input = sampleRun({ name: 'versioned' })
    const old = recording((stage) => {
      if (stage.kind === 'train') throw new Error('not in this version')
    })
    const renewed = recording()
    const makeCurrent = async (buildId: string) => {
      const command = ['worker', 'deployment', 'set-current-version', '--deployment-name', 'zeroshift']
      await promisify(execFile)(await ensureTemporal(), [
        ...command,
        ...['--build-id', buildId, '--address', server.address, '--yes', '--ignore-missing-task-queues'],
      ])
    }
    const handle = await withWorker(
      server.address,
      old.activities,
      async () => {
        await makeCurrent('one')
        const handle = await start(input)
        while (!old.calls.some(({ kind }) => kind === 'train')) await sleep(20)
        return handle
      },
      'one',
    )
    await withWorker(
      server.address,
      renewed.activities,
      async () => {
        await makeCurrent('two')
        await handle.result()
      },
      'two',
    )
    expect(renewed.calls.some(({ kind }) => kind === 'train')).toBe(true)
    // For the tests that come after.
    const command = ['worker', 'deployment', 'set-current-version', '--deployment-name', 'zeroshift']
    await promisify(execFile)(await ensureTemporal(), [
      ...command,
      ...['--unversioned', '--address', server.address, '--yes'],
    ])
  })

  test('goes on where a worker that stopped left it', async () => {
    const input = sampleRun({ name: 'restart' })
    const first = recording()
    const second = recording()
    let handle: Awaited<ReturnType<typeof start>> | undefined
    // The first worker stops as soon as it has read the data.
    await withWorker(server.address, first.activities, async () => {
      handle = await start(input)
      while (first.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    })
    const result = await withWorker(server.address, second.activities, () => {
      if (!handle) throw new Error('not started')
      return handle.result()
    })
    expect(result.computed).toBe(stagesOf(input.run.plan).length)
    expect([...first.calls, ...second.calls].filter(({ kind }) => kind === 'dataset')).toHaveLength(1)
    expect(second.calls.length).toBeGreaterThan(0)
  })
})
