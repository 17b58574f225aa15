import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import type { Activities } from '../../activities/index.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import { fairShare, workflowId, workflowType } from '../../workflows/names.ts'
import { until } from '../support/durable.ts'
import { recording } from '../support/recording.ts'
import { forFile } from '../support/release.ts'
import { sampleRun } from '../support/run.ts'
import { temporalServer, type TestTemporal, withWorker } from '../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

function start(input: RunInput) {
  return server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    priority: fairShare(input.run.id),
    args: [input],
  })
}

test('a small run that comes late takes turns with a large one that has the queue full already', async () => {
  // As long as a name may be.
  const large = sampleRun({ name: 'large'.padEnd(63, '-x'), shadows: 40 })
  const small = sampleRun({ name: 'small', seed: 2 })
  const { activities, calls } = recording()
  const slowly =
    <A extends (...args: never[]) => Promise<unknown>>(activity: A) =>
    async (...args: Parameters<A>) => {
      await sleep(50)
      return activity(...args)
    }
  const served = {
    ...activities,
    train: slowly(activities.train),
    shadow: slowly(activities.shadow),
  } as Activities
  const shadows = () => calls.filter(({ kind }) => kind === 'shadow').length
  await withWorker(server.address, served, async () => {
    const first = await start(large)
    await until('the queue to be full', () => shadows() > 2)
    await (await start(small)).result()
    // Nine stages of the small one train or evaluate. Behind the others they would have come last.
    expect(shadows()).toBeLessThan(35)
    await first.result()
  })
  expect(shadows()).toBe(40)
})
