import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
  type ActivityOptions,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import type { StageDone, StageTask } from '../activities/runtime/stage.ts'
import type { StageActivities } from '../activities/stages/index.ts'
import { heartbeatSecondsOf } from '../experiment/spec/durability.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { KeptRun, RunInput, RunProgress, RunRecord, StageProgress } from '../experiment/records/run.ts'
import type { Plan } from '../experiment/plan/types.ts'
import { planOf, type StoredInput } from '../experiment/plan/run-parts.ts'
import type { StageQueue } from '../experiment/stages/definition.ts'
import { stageDefinitions } from '../experiment/stages/index.ts'
import type { Stage, StageKind, StageOf, StageRef } from '../experiment/stages/stage.ts'
import type { CellInput } from '../experiment/sweep/sweep.ts'
import type { Queue } from './names.ts'

/**
 * Failures that pass, such as a worker that dies or a store that does not answer, are retried for
 * at least an hour. The pauses are short because a retry continues from the last checkpoint. An
 * activity marks the failures that no retry can repair (see activities/runtime/errors.ts).
 */
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '2s', maximumAttempts: 2000 }

/** Activities that read the store or write the report. They take minutes at most. */
const { kept, keptRun, planPart, report } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry,
})

export { report }

/** What a run works on. */
export interface ResolvedRun {
  readonly run: { readonly id: string; readonly plan: Plan }
  readonly settings: RunInput['settings']
  /**
   * The run as activities are given it. A run whose record is in the store is named by its id
   * alone.
   */
  readonly named: RunRecord | KeptRun
  /** Whether activities are given stages by their keys, because the plan is large. */
  readonly byKey?: boolean
  /** Stages that the store has. Present if they were looked up together with the plan. */
  readonly kept?: readonly StageDone[] | undefined
  /** The id of the sweep. Present if the run is one of its cells. */
  readonly sweep?: string
}

/** A cell of a sweep and a large run stand in the store. */
export async function resolveRun(asked: CellInput | StoredInput): Promise<ResolvedRun> {
  if ('stored' in asked) return storedRun(asked.stored, asked.store)
  const { cell: id, store, sweep } = asked
  if (patched('plan-in-parts')) return { ...(await storedRun(id, store)), sweep }
  const { kept, run, settings } = await keptRun(asked)
  return { run, settings, named: { id }, kept, sweep }
}

async function storedRun(id: string, store: string): Promise<ResolvedRun> {
  const first = await planPart({ id, store, part: 0 })
  const texts = [first.text]
  // The pieces are read one after the other, so that no message to the server is large.
  for (let part = 1; part < first.parts; part++) texts.push((await planPart({ id, store, part })).text)
  const { byKey, settings, kept } = first
  return {
    run: { id, plan: planOf(texts) },
    settings: { ...settings, store },
    named: { id },
    byKey,
    kept,
  }
}

/** The activities of stages, as a workflow calls them. */
type StageProxies = {
  readonly [K in keyof StageActivities]: {
    executeWithOptions(options: ActivityOptions, args: [task: StageTask<K>]): Promise<StageDone>
  }
}

/** Calls the activity of a stage, on the queue of its kind. */
type CallStage = <K extends StageKind>(
  { kind }: Pick<StageOf<K>, 'kind'>,
  options: ActivityOptions,
  task: StageTask<K>,
) => Promise<StageDone>

function stageCaller(settings: RunInput['settings']): CallStage {
  const proxies = (taskQueue: Queue, startToCloseTimeout: '1d' | '30d'): StageProxies =>
    proxyActivities<StageActivities>({
      taskQueue,
      startToCloseTimeout,
      heartbeatTimeout: 1000 * heartbeatSecondsOf(settings),
      retry,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    })
  const byQueue: Readonly<Record<StageQueue, StageProxies>> = {
    zeroshift: proxies('zeroshift', '1d'),
    'zeroshift-train': proxies('zeroshift-train', '30d'),
  }
  return ({ kind }, options, task) =>
    byQueue[stageDefinitions[kind].queue][kind].executeWithOptions(options, [task])
}

/**
 * Temporal allows 2,000 pending activities for each workflow. Further stages wait in the workflow.
 */
const MOST_UNDER_WAY = 1_900

/** How many times the damaged inputs of a stage may be computed again. */
const REPAIRS = 3

/**
 * Runs the stages of one run. Each stage runs once, even if it is requested several times.
 * `onChange` is called whenever a stage is computed or fails.
 */
export function stageRunner(
  { run, settings, named, byKey = false, kept: known }: ResolvedRun,
  onChange: () => void,
) {
  const call = stageCaller(settings)
  const running = new Set<CancellationScope>()
  let paused = false
  const promises = new Map<string, Promise<StageDone>>()
  const states = new Map<string, StageProgress>(
    stagesOf(run.plan).map(({ key, kind, title }) => [key, { key, kind, title, state: 'waiting' }]),
  )
  const set = ({ key, kind, title }: Stage, state: Omit<StageProgress, 'key' | 'kind' | 'title'>) => {
    states.set(key, { key, kind, title, ...state })
    if (state.state === 'computed' || state.state === 'failed') onChange()
  }

  async function execute(stage: Stage): Promise<StageDone> {
    try {
      const done = await repaired(stage)
      set(stage, { state: done.cached ? 'cached' : 'computed', seconds: done.seconds })
      return done
    } catch (error) {
      set(
        stage,
        isCancellation(error)
          ? { state: 'waiting' }
          : { state: 'failed', error: activityFailureMessage(error) },
      )
      throw error
    }
  }

  /**
   * Runs a stage. If it reports a damaged input, the stage that made the input runs again first.
   */
  async function repaired(stage: Stage): Promise<StageDone> {
    for (let repairs = 0; ; repairs++)
      try {
        return await unlessPaused(stage)
      } catch (error) {
        const failure = failureOf(error)
        if (failure?.type !== 'DamagedInputError' || repairs === REPAIRS) throw error
        const maker = stagesOf(run.plan).find(({ key }) => key === failure.details?.[0])
        if (!maker) throw error
        promises.delete(maker.key)
        await complete(maker)
      }
  }

  /**
   * Runs the activity of a stage. A pause cancels the activity, which keeps a checkpoint; after the
   * pause a new activity continues from it. An activity that has waited for another run's
   * computation for a long time is replaced at once.
   */
  async function unlessPaused(stage: Stage): Promise<StageDone> {
    for (;;) {
      const mayBegin = () => !paused && running.size < MOST_UNDER_WAY
      while (!mayBegin()) await condition(mayBegin)
      set(stage, { state: 'running' })
      const scope = new CancellationScope()
      running.add(scope)
      try {
        return await scope.run(() => activity(stage))
      } catch (error) {
        if (failureOf(error)?.type === 'ComputedElsewhereError') continue
        // A pause cancels the inner scope only. If the outer scope was cancelled, the run itself
        // was.
        if (
          !isCancellation(error) ||
          !scope.consideredCancelled ||
          CancellationScope.current().consideredCancelled
        )
          throw error
        set(stage, { state: 'waiting' })
      } finally {
        running.delete(scope)
      }
    }
  }

  function complete(stage: Stage): Promise<StageDone> {
    const known = promises.get(stage.key)
    if (known) return known
    const promise = execute(stage)
    // Avoids an unhandled rejection: callers that await the promise see the failure.
    promise.catch(() => undefined)
    promises.set(stage.key, promise)
    return promise
  }

  /** The activity's id is the key of the stage, by which clients assign heartbeats to stages. */
  function activity(stage: Stage): Promise<StageDone> {
    const options = { activityId: stage.key, summary: stage.title }
    const { kind, key, title } = stage
    const task = byKey ? { stage: { kind, key, title }, settings, run: run.id } : { stage, settings }
    return call(stage, options, task)
  }

  return {
    /** Marks the stages that the store has as complete. They need no activity. */
    async recall(): Promise<void> {
      const stages = stagesOf(run.plan)
      const found = new Map((known ?? (await kept({ run: named, settings }))).map((done) => [done.key, done]))
      for (const stage of stages) {
        const done = found.get(stage.key)
        if (!done) continue
        set(stage, { state: 'cached', seconds: done.seconds })
        promises.set(stage.key, Promise.resolve(done))
      }
    },

    complete,

    /**
     * Checks completed stages again whose results the store lacks, or has from other inputs than
     * the present ones. Computes them again if necessary. Returns whether there were any.
     */
    async revalidate(absent: readonly string[]): Promise<boolean> {
      const keys = new Set(absent)
      const before = new Map([...states].filter(([key, { state }]) => keys.has(key) && isAccepted(state)))
      if (before.size === 0 || !patched('judged-again')) return false
      const again = new Map<string, Promise<unknown>>()
      for (const key of before.keys()) promises.delete(key)
      // `stagesOf` lists inputs first. Each stage waits for its inputs that are checked again.
      for (const stage of stagesOf(run.plan)) {
        const earlier = before.get(stage.key)
        if (!earlier) continue
        const inputs = Object.values<StageRef>(stage.inputs).flatMap(({ key }) => again.get(key) ?? [])
        again.set(
          stage.key,
          Promise.all(inputs).then(async () => {
            const { cached } = await complete(stage)
            // A result that still stands keeps its earlier state: this run computed it.
            if (cached) states.set(stage.key, earlier)
          }),
        )
      }
      for (const outcome of await Promise.allSettled(again.values()))
        if (outcome.status === 'rejected' && isCancellation(outcome.reason)) throw outcome.reason
      return true
    },

    pause() {
      paused = true
      for (const scope of running) scope.cancel()
    },
    resume() {
      paused = false
    },

    progress: (): RunProgress => ({ id: run.id, ...(paused && { paused }), stages: [...states.values()] }),

    /** The keys of the stages whose results are available. */
    completed: (): ReadonlySet<string> =>
      new Set([...states.values()].flatMap(({ key, state }) => (isAccepted(state) ? [key] : []))),

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

export type StageRunner = ReturnType<typeof stageRunner>

function isAccepted(state: StageProgress['state']): boolean {
  return state === 'computed' || state === 'cached'
}

/** The failure that an activity reported, if the error is one. */
function failureOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined
  return cause instanceof ApplicationFailure ? cause : undefined
}

/** What a person needs to know of a failure: Temporal wraps the activity's own error. */
export function activityFailureMessage(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
