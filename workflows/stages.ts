import {
  ActivityCancellationType,
  ActivityFailure,
  isCancellation,
  proxyActivities,
} from '@temporalio/workflow'
import type { ActivityInterfaceFor } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import type { StageDone, StageTask } from '../activities/stage.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import type { RunInput, RunProgress, StageProgress } from '../experiment/run.ts'
import type { Stage, StageKind } from '../experiment/stages.ts'
import type { Queue } from './names.ts'

const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m', maximumAttempts: 5 }

const stageOptions = {
  heartbeatTimeout: '30s',
  retry,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
} as const

const light = proxyActivities<Activities>({
  ...stageOptions,
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '1h',
})
const training = proxyActivities<Activities>({
  ...stageOptions,
  taskQueue: 'zeroshift-train' satisfies Queue,
  startToCloseTimeout: '30d',
})

/** Looking into the store, writing the report and tracking: no heartbeats, minutes at most. */
const { kept, report, track } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  retry,
})

export { report, track }

const where: Readonly<Record<StageKind, ActivityInterfaceFor<Activities>>> = {
  dataset: light,
  split: light,
  train: training,
  unlearn: training,
  evaluate: training,
  attack: light,
  compare: light,
}

/** The stages of one run: each runs once, however many ask for it, and leaves its state for the progress query. */
export function stageRunner({ run, settings }: RunInput) {
  const promises = new Map<string, Promise<StageDone>>()
  const states = new Map<string, StageProgress>(
    stagesOf(run.plan).map(({ key, kind, title }) => [key, { key, kind, title, state: 'waiting' }]),
  )
  const set = ({ key, kind, title }: Stage, state: Omit<StageProgress, 'key' | 'kind' | 'title'>) => {
    states.set(key, { key, kind, title, ...state })
  }

  async function execute(stage: Stage): Promise<StageDone> {
    set(stage, { state: 'running' })
    try {
      const done = await activity(stage)
      set(stage, { state: done.cached ? 'cached' : 'computed', seconds: done.seconds })
      return done
    } catch (error) {
      set(stage, isCancellation(error) ? { state: 'waiting' } : { state: 'failed', error: reasonOf(error) })
      throw error
    }
  }

  /** The activity's id is the stage's key: that is how a client tells which heartbeats are whose. */
  function activity(stage: Stage): Promise<StageDone> {
    const options = { activityId: stage.key, summary: stage.title }
    const run = where[stage.kind][stage.kind] as unknown as {
      executeWithOptions(options: object, args: readonly [StageTask<StageKind>]): Promise<StageDone>
    }
    return run.executeWithOptions(options, [{ stage: stage, settings }])
  }

  return {
    /** What is in the store already needs no worker: it is answered at once from then on. */
    async recall(): Promise<void> {
      const stages = stagesOf(run.plan)
      const refs = stages.map(({ kind, key }) => ({ kind, key }))
      const found = new Map((await kept({ stages: refs, settings })).map((done) => [done.key, done]))
      for (const stage of stages) {
        const done = found.get(stage.key)
        if (!done) continue
        set(stage, { state: 'cached', seconds: done.seconds })
        promises.set(stage.key, Promise.resolve(done))
      }
    },

    complete(stage: Stage): Promise<StageDone> {
      const known = promises.get(stage.key)
      if (known) return known
      const promise = execute(stage)
      // Whoever awaits it hears of a failure; until somebody does, it must not count as unhandled.
      promise.catch(() => undefined)
      promises.set(stage.key, promise)
      return promise
    },

    progress: (): RunProgress => ({ id: run.id, stages: [...states.values()] }),

    summary() {
      const all = [...states.values()]
      const computed = all.filter(({ state }) => state === 'computed')
      return {
        computed: computed.length,
        cached: all.filter(({ state }) => state === 'cached').length,
        stageSeconds: computed.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
        failed: all.flatMap(({ state, title, error = 'unknown' }) =>
          state === 'failed' ? [{ title, reason: error }] : [],
        ),
      }
    },
  }
}

/** What a person needs to know of a failure: Temporal wraps the activity's own error. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
