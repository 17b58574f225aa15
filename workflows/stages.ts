import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  condition,
  isCancellation,
  patched,
  proxyActivities,
} from '@temporalio/workflow'
import type { ActivityInterfaceFor } from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import type { StageDone, StageTask } from '../activities/runtime/stage.ts'
import { heartbeatSecondsOf } from '../experiment/spec/durability.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { KeptRun, RunInput, RunProgress, RunRecord, StageProgress } from '../experiment/records/run.ts'
import type { Plan } from '../experiment/plan/plan.ts'
import { planOf, type StoredInput } from '../experiment/plan/run-parts.ts'
import type { Stage, StageKind, StageRef } from '../experiment/stages/stage.ts'
import type { CellInput } from '../experiment/sweep/sweep.ts'
import type { Queue } from './names.ts'

/**
 * What the world does to a stage (a worker that dies, a store that is away) is retried for an hour at least, with short
 * pauses: a checkpoint waits. What a retry cannot help is said to be so by the activity (see activities/runtime/errors.ts).
 */
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '2s', maximumAttempts: 2000 }

/** Looking into the store and writing the report: minutes at most. */
const { kept, keptRun, planPart, report } = proxyActivities<Activities>({
  taskQueue: 'zeroshift' satisfies Queue,
  startToCloseTimeout: '10m',
  heartbeatTimeout: '1m',
  retry,
})

export { report }

/** What a run works on. */
export interface Asked {
  readonly run: { readonly id: string; readonly plan: Plan }
  readonly settings: RunInput['settings']
  /** What activities are told of the run: a record that is in the store need not go through Temporal again and again. */
  readonly named: RunRecord | KeptRun
  /** Stages are sent by their keys: the plan is large. */
  readonly byKey?: boolean
  /** What the store has of its stages, where that was looked up with the plan. */
  readonly kept?: readonly StageDone[] | undefined
  /** The sweep that it is a cell of. */
  readonly sweep?: string
}

/** A cell of a sweep and a large run stand in the store. */
export async function lookedUp(asked: CellInput | StoredInput): Promise<Asked> {
  if ('stored' in asked) return storedRun(asked.stored, asked.store)
  const { cell: id, store, sweep } = asked
  if (patched('plan-in-parts')) return { ...(await storedRun(id, store)), sweep }
  const { kept, run, settings } = await keptRun(asked)
  return { run, settings, named: { id }, kept, sweep }
}

async function storedRun(id: string, store: string): Promise<Asked> {
  const first = await planPart({ id, store, part: 0 })
  const texts = [first.text]
  // One after the other: none is large enough to trouble the server.
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

/** By kind of stage, the proxies of the queue that runs it. */
function stageActivities(
  settings: RunInput['settings'],
): Readonly<Record<StageKind, ActivityInterfaceFor<Activities>>> {
  const proxies = (taskQueue: Queue, startToCloseTimeout: '1d' | '30d') =>
    proxyActivities<Activities>({
      taskQueue,
      startToCloseTimeout,
      heartbeatTimeout: 1000 * heartbeatSecondsOf(settings),
      retry,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    })
  const light = proxies('zeroshift', '1d')
  const training = proxies('zeroshift-train', '30d')
  return {
    dataset: light,
    split: light,
    checkpoint: light,
    train: training,
    unlearn: training,
    evaluate: training,
    attack: light,
    compare: light,
    population: light,
    shadow: training,
    pool: light,
    membership: light,
    relearn: training,
    probe: training,
  }
}

/** Temporal takes 2,000 activities of a workflow that are not done. The others wait here. */
const MOST_UNDER_WAY = 1_900

/** How often a stage may find what it reads damaged, and have it computed again. */
const REPAIRS = 3

/** The stages of one run: each runs once, however many ask for it, and leaves its state for the progress query. */
export function stageRunner(
  { run, settings, named, byKey = false, kept: known }: Asked,
  onChange: () => void,
) {
  const where = stageActivities(settings)
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
        isCancellation(error) ? { state: 'waiting' } : { state: 'failed', error: stageFailureReason(error) },
      )
      throw error
    }
  }

  /** The stage, after the stages that made what it found damaged. */
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
   * A pause cancels the activity, which keeps a checkpoint; the next one goes on from there. One that has waited long for
   * what another run computes is followed by the next one at once.
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
        // Where the run itself was cancelled, the scope around this one was.
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
    // Whoever awaits it hears of a failure; until somebody does, it must not count as unhandled.
    promise.catch(() => undefined)
    promises.set(stage.key, promise)
    return promise
  }

  /** The activity's id is the stage's key: that is how a client tells which heartbeats are whose. */
  function activity(stage: Stage): Promise<StageDone> {
    const options = { activityId: stage.key, summary: stage.title }
    const activity = where[stage.kind][stage.kind] as unknown as {
      executeWithOptions(options: object, args: readonly [StageTask<StageKind>]): Promise<StageDone>
    }
    const { kind, key, title } = stage
    const task = byKey ? { stage: { kind, key, title }, settings, run: run.id } : { stage: stage, settings }
    return activity.executeWithOptions(options, [task])
  }

  return {
    /** What is in the store already needs no worker: it is answered at once from then on. */
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
     * Judges stages again that this run has accepted and whose results the store does not have any
     * more, or not of the inputs that it has now. Answers whether there were any.
     */
    async judgeAgain(absent: readonly string[]): Promise<boolean> {
      const keys = new Set(absent)
      const before = new Map([...states].filter(([key, { state }]) => keys.has(key) && isAccepted(state)))
      if (before.size === 0 || !patched('judged-again')) return false
      const again = new Map<string, Promise<unknown>>()
      for (const key of before.keys()) promises.delete(key)
      // Inputs come first: each stage waits for those of its own that are judged again.
      for (const stage of stagesOf(run.plan)) {
        const earlier = before.get(stage.key)
        if (!earlier) continue
        const inputs = Object.values<StageRef>(stage.inputs).flatMap(({ key }) => again.get(key) ?? [])
        again.set(
          stage.key,
          Promise.all(inputs).then(async () => {
            const { cached } = await complete(stage)
            // What this run computed and still stands was computed by this run.
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

    /** Keys of the stages whose results are there. */
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

/** What an activity said of itself that failed. */
function failureOf(error: unknown): ApplicationFailure | undefined {
  const cause = error instanceof ActivityFailure ? error.cause : undefined
  return cause instanceof ApplicationFailure ? cause : undefined
}

/** What a person needs to know of a failure: Temporal wraps the activity's own error. */
export function stageFailureReason(error: unknown): string {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
