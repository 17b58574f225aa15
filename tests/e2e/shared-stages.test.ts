import { beforeAll, expect } from 'vitest'
import { createActivities, type Activities } from '../../activities/index.ts'
import { stageActivity } from '../../activities/runtime/stage.ts'
import { train } from '../../activities/stages/train.ts'
import { Lease } from '../../artifacts/progress/lease.ts'
import { progressOf } from '../../cli/output/run-progress.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { workflowId, workflowType } from '../../workflows/names.ts'
import { heartbeatSeconds, longRun, until } from '../support/durable.ts'
import { test } from '../support/fixtures.ts'
import { forFile } from '../support/release.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

function start(input: RunInput) {
  return server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [input],
  })
}

test('what one run trains the others wait for without a slot, which other work takes', async ({
  directory: store,
  artifacts,
}) => {
  // An attempt that a busy machine keeps silent must not be replaced: the next one would find its
  // result, and compute nothing.
  const settings = { heartbeatSeconds: 30 }
  const run = (name: string, seed = 1) => longRun({ name, seed, epochs: 1, store, settings })
  const [first, second, other] = await Promise.all([run('first'), run('second'), run('other', 2)])
  const shared = first.run.plan.original

  const trained: string[] = []
  let finish: () => void = () => undefined
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve
  })
  const activities: Activities = {
    ...createActivities(),
    train: stageActivity('train', () =>
      Promise.resolve(async (context) => {
        trained.push(context.stage.key)
        if (context.stage.key === shared.key) await mayFinish
        return train(context)
      }),
    ),
  }
  // Two workers, each with one slot for training.
  await withWorker(server.address, activities, () =>
    withWorker(server.address, activities, async () => {
      const handles = [await start(first)]
      await until('the shared training', () => trained.includes(shared.key))
      const waiting = await start(second)
      handles.push(waiting)
      await until('the second run to wait', async () =>
        (await progressOf(waiting)).stages.some(({ key, elsewhere }) => key === shared.key && elsewhere),
      )
      handles.push(await start(other))
      await until('the training of the other run', () => artifacts.complete(other.run.plan.original))
      const { stages } = await progressOf(waiting)
      expect(stages.find(({ key }) => key === shared.key)).toMatchObject({
        state: 'waiting',
        elsewhere: true,
      })
      expect(await artifacts.complete(shared)).toBeUndefined()
      finish()
      const results = await Promise.all(handles.map((handle) => handle.result()))
      const asked = [first, second, other].flatMap(({ run }) => stagesOf(run.plan).map(({ key }) => key))
      expect(results.reduce((sum, { computed }) => sum + computed, 0)).toBe(new Set(asked).size)
      expect(results.flatMap(({ failed }) => failed)).toEqual([])
      expect(new Set(trained).size).toBe(trained.length)
    }),
  )
})

test('a stage whose holder is dead is taken over after two heartbeats', async ({
  directory: store,
  artifacts,
}) => {
  const input = await longRun({ epochs: 1, store })
  const dead = { activity: 'of a server that is gone', attempt: 1 }
  await Lease.take(artifacts, input.run.plan.original, dead, () => false)
  await withWorker(server.address, createActivities(), async () => {
    const began = performance.now()
    const { failed } = await (await start(input)).result()
    expect(failed).toEqual([])
    expect(performance.now() - began).toBeGreaterThan(2000 * heartbeatSeconds)
  })
})
