import { expect } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { stageActivity, type StageBody } from '../../../activities/runtime/stage.ts'
import { train } from '../../../activities/stages/train.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { withWorker, type TestTemporal } from '../../support/temporal.ts'

/**
 * Computes an experiment whose original is refused memory by `fails` for some numbers of
 * micro-batches. Returns the number of micro-batches of each attempt at the original.
 */
export async function attempts(
  server: TestTemporal,
  input: RunInput,
  fails: (microBatches: number) => void,
): Promise<readonly number[]> {
  const microBatches: number[] = []
  const cramped: StageBody<'train'> = (context) => {
    if (context.stage.key === input.run.plan.original.key) {
      const { microBatches: now = 1 } = context.host
      microBatches.push(now)
      fails(now)
    }
    return train(context)
  }
  const activities = { ...createActivities(), train: stageActivity('train', () => Promise.resolve(cramped)) }
  const result = await withWorker(server.address, activities, async () => {
    const handle = await server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      args: [input],
    })
    return handle.result()
  })
  expect(result.failed).toEqual([])
  return microBatches
}
