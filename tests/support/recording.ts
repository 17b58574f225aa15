import { Context } from '@temporalio/activity'
import { asFailure } from '../../activities/runtime/errors.ts'
import type { Activities } from '../../activities/index.ts'
import type { StageDone, StageTask } from '../../activities/runtime/stage.ts'
import type { StageActivities } from '../../activities/stages/index.ts'
import type { RunResult } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stageKinds, type Stage, type StageKind } from '../../experiment/stages/stage.ts'

/** Throws where the stage is to fail. */
export type Fault = (stage: Stage, attempt: number) => void

/** Activities that compute nothing. They record the calls, and fail where the test asks for it. */
export function recording(fault: Fault = () => undefined, keptKeys: readonly string[] = []) {
  const calls: Stage[] = []
  const failed: RunResult['failed'][] = []
  const run = <K extends StageKind>({ stage: asked }: StageTask<K>): Promise<StageDone> => {
    const stage = asked as Stage
    calls.push(stage)
    try {
      fault(stage, calls.filter(({ key }) => key === stage.key).length)
    } catch (error) {
      return Promise.reject(asFailure(error))
    }
    return Promise.resolve({ key: stage.key, digest: stage.key, cached: false, seconds: 1 })
  }
  const stageActivities = Object.fromEntries(stageKinds.map((kind) => [kind, run])) as StageActivities
  const activities: Activities = {
    kept: ({ run }) =>
      Promise.resolve(
        ('plan' in run ? stagesOf(run.plan) : [])
          .filter(({ key }) => keptKeys.includes(key))
          .map(({ key }) => ({ key, digest: key, cached: true, seconds: 1 })),
      ),
    ...stageActivities,
    report: (task) => {
      failed.push(task.failed)
      return Promise.resolve({ url: 'file:///report', digest: 'd', results: [] })
    },
    track: () => Promise.resolve({ points: 0, runs: 0, notes: [] }),
    trackSweep: unexpected,
    keptRun: unexpected,
    planPart: unexpected,
    cellsOf: unexpected,
    settled: unexpected,
    whichEnded: unexpected,
    reportSweep: unexpected,
    nextRequest: unexpected,
    planStep: unexpected,
    judgeStep: unexpected,
    settleRequest: unexpected,
  }
  return { activities, calls, failed }
}

/** Fails. It stands for the activities that only sweeps and ledgers call. */
function unexpected(): Promise<never> {
  return Promise.reject(new Error('a single run asked for what a sweep or a ledger asks for'))
}

/** A stage that works until it is told to stop. */
export const untilCancelled: Activities['train'] = async () => {
  const { cancelled, heartbeat } = Context.current()
  const timer = setInterval(() => {
    heartbeat()
  }, 50)
  try {
    await cancelled
  } finally {
    clearInterval(timer)
  }
  throw new Error('not reached')
}
