import {
  ApplicationFailure,
  CancellationScope,
  condition,
  ContinueAsNew,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError, type SearchAttributePair } from '@temporalio/common'
import type { Activities } from '../activities/index.ts'
import type { Ended } from '../activities/sweep.ts'
import { SweepSchedule, type SweepRun } from '../experiment/sweep/schedule.ts'
import {
  objectiveOf,
  type CellInput,
  type RunEnding,
  type SweepChange,
  type SweepCounts,
  type SweepInput,
  type SweepProgress,
  type SweepResult,
} from '../experiment/sweep/sweep.ts'
import type { RunResult } from '../experiment/records/run.ts'
import { bookkeeping, waiting } from './activity-options.ts'
import { childFailureMessage } from './child-failure.ts'
import { startSweepTracking, type SweepTracker } from './tracking.ts'
import {
  changeUpdate,
  fairShare,
  pauseSignal,
  progressQuery,
  resumeSignal,
  workflowId,
  workflowType,
} from './names.ts'

const { cellsOf, settled, reportSweep } = proxyActivities<Activities>(bookkeeping)

/** The activity that waits for runs, which may take very long. */
const { whichEnded } = proxyActivities<Activities>(waiting)

/** The number of runs that are looked up in the store at once. */
const CHUNK = 50

/** A run to start, with the search attributes of its workflow. */
interface Ready {
  readonly place: SweepRun
  readonly attributes: SearchAttributePair[]
}

type Experiment = (input: CellInput) => Promise<RunResult>

/**
 * Runs many experiments, a few at a time, as child workflows. The failure of one does not affect
 * the others, and the report says which are missing and why. Before the history gets too long, the
 * sweep continues as a new execution, to which it passes the state of its cells. The runs continue
 * meanwhile, and the new execution waits for them.
 */
export async function sweep(input: SweepInput): Promise<SweepResult> {
  const { id, store } = input
  let { maxParallel } = input
  let paused = input.state?.paused ?? false
  const startedAt = input.state?.startedAt ?? Date.now()
  let extended = false
  let board: SweepSchedule | undefined
  const progress = (): SweepProgress => ({
    id,
    ...(paused && { paused }),
    maxParallel,
    startedAt,
    ...(board?.progress() ?? nothingYet),
  })
  setHandler(defineQuery<SweepProgress>(progressQuery), progress)
  setHandler(defineUpdate<SweepProgress, [SweepChange]>(changeUpdate), (change) => {
    maxParallel = change.maxParallel ?? maxParallel
    extended ||= change.extended ?? false
    return progress()
  })
  const setPaused = (to: boolean) => {
    paused = to
    for (const { run } of board?.underWay('r') ?? []) send(run)
  }
  setHandler(defineSignal(pauseSignal), () => {
    setPaused(true)
  })
  setHandler(defineSignal(resumeSignal), () => {
    setPaused(false)
  })

  const read = () => cellsOf({ id, store })
  // After an earlier execution, a cancellation during this activity must not end the sweep here: it
  // has to cancel the runs of that execution first.
  const { halving, isTracked, ...cells } = await (input.state
    ? CancellationScope.nonCancellable(read)
    : read())
  const known = (board = new SweepSchedule(cells, input.state, input.leave))
  /** Runs that are not complete in the store, to be started next. */
  let ready: readonly Ready[] = []
  let starting = 0
  const children = new Set<Promise<void>>()
  let tracker: SweepTracker | undefined
  const carried = known.underWay('r')
  const others = watchOthers([...carried, ...known.underWay('j')])

  try {
    for (;;) {
      if (isTracked) tracker = await startSweepTracking({ id, store })
      await rounds()
      const { url, digest } = await reportSweep({ id, store, failures: known.progress().failures })
      if (extended) continue
      const { running: _, rungs: __, ...counts } = known.progress()
      const [first] = counts.failures
      if (counts.done === 0 && first)
        throw ApplicationFailure.nonRetryable(
          `no cell came through; the first failed: ${first.reason}`,
          'NothingLeft',
        )
      await tracker?.ended('FINISHED', countsOf(known))
      if (extended) continue
      return { id, ...counts, report: url, digest }
    }
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error
    if (isCancellation(error)) await CancellationScope.nonCancellable(ownEnded)
    await tracker?.ended(isCancellation(error) ? 'KILLED' : 'FAILED', countsOf(known))
    throw error
  }

  /** Starts runs until none is left to start and all have ended. */
  async function rounds(): Promise<void> {
    for (;;) {
      const isFull = () => paused || starting + known.running >= maxParallel
      const isOver = () => ready.length === 0 && starting === 0 && known.running === 0 && !known.hasNext()
      const canBegin = () => !isFull() && (ready.length > 0 || known.hasNext())
      await condition(() => extended || isLong() || canBegin() || isOver())
      // If the condition becomes true in the same workflow task as a cancellation, the wait ends
      // without an error. The cancellation must not be missed, because the next execution would not
      // know of it.
      const { consideredCancelled, cancelRequested } = CancellationScope.current()
      if (consideredCancelled) await cancelRequested
      if (extended) {
        extended = false
        known.extend(await read())
      } else if (isOver()) return
      else if (isLong())
        await continueAsNew<typeof sweep>({
          ...input,
          maxParallel,
          state: { paused, startedAt, ...known.state() },
        })
      else if (ready.length === 0) ready = await missing(known.take(CHUNK))
      else {
        const [next, ...rest] = ready
        ready = rest
        if (next) begin(next)
      }
    }
  }

  /**
   * Whether to continue as a new execution. This must wait until no child workflow is being
   * started.
   */
  function isLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo()
    return (continueAsNewSuggested || historyLength > (input.historyEvents ?? Infinity)) && starting === 0
  }

  /** Returns the runs that have to be started, and records those that the store has as ended. */
  async function missing(places: readonly SweepRun[]): Promise<readonly Ready[]> {
    const left = input.leave !== undefined
    const found = await settled({ store, sweep: id, runs: places.map(({ run }) => run), left })
    return places.flatMap((place, i) => {
      const there = found[i]
      if (!there) return []
      if ('attributes' in there) return [{ place, attributes: there.attributes }]
      known.ended(place, there.incomplete ? 'i' : 'c', objectiveOf(there.results, halving))
      return []
    })
  }

  function begin(next: Ready): void {
    const execution = executeRun(next)
    children.add(execution)
    void execution.then(() => children.delete(execution))
  }

  async function executeRun({ place, attributes }: Ready): Promise<void> {
    starting++
    let child: ChildWorkflowHandle<Experiment>
    try {
      child = await startChild<Experiment>(workflowType, {
        workflowId: workflowId(place.run),
        args: [{ cell: place.run, store, sweep: id }],
        // Sweeps and runs take turns at the workers, no matter how many tasks each has.
        priority: fairShare(id),
        ...(input.searchable && { typedSearchAttributes: attributes }),
        // The next execution of this sweep waits for the run.
        parentClosePolicy: ParentClosePolicy.ABANDON,
      })
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        known.begun(place, 'j')
        others.add(place)
      } else known.failed(place, childFailureMessage(error))
      return
    } finally {
      starting--
    }
    known.begun(place, 'r')
    if (paused) send(place.run)
    try {
      settle(place, { result: await child.result() })
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) return
      settle(place, { error: childFailureMessage(error) })
    }
  }

  function settle(place: SweepRun, ending: RunEnding): void {
    if ('error' in ending) known.failed(place, ending.error)
    else
      known.ended(
        place,
        ending.result.failed.length > 0 ? 'i' : 'd',
        objectiveOf(ending.result.results, halving),
      )
  }

  /**
   * Waits for runs that are not children of this execution: others started them, or an earlier
   * execution.
   */
  function watchOthers(places: readonly SweepRun[]) {
    const waited = new Map(places.map((place) => [place.run, place]))
    let waiting: CancellationScope | undefined
    const watch = async () => {
      while (waited.size > 0) {
        waiting = new CancellationScope()
        try {
          const ends = await waiting.run(() => ended(waited.keys()))
          for (const { run, ...ending } of ends) {
            const place = waited.get(run)
            waited.delete(run)
            if (place) settle(place, ending)
          }
        } catch (error) {
          // `add` cancels the wait so that it starts again with one more run.
          if (!isCancellation(error) || CancellationScope.current().consideredCancelled) return
        } finally {
          waiting = undefined
        }
      }
    }
    void watch()
    return {
      add(place: SweepRun) {
        waited.set(place.run, place)
        if (waiting) waiting.cancel()
        else void watch()
      },
    }
  }

  /**
   * Cancels the runs that this sweep has started, and waits for them. Temporal cancels children
   * with their parent, but not those of an earlier execution, and it may miss one that was just
   * being started. Therefore each run is cancelled explicitly.
   */
  async function ownEnded(): Promise<void> {
    await condition(() => starting === 0)
    const running = new Set(known.underWay('r').map(({ run }) => run))
    await Promise.allSettled([...running].map((run) => getExternalWorkflowHandle(workflowId(run)).cancel()))
    await Promise.all(children)
    const fromEarlier = new Set(carried.flatMap(({ run }) => (running.has(run) ? [run] : [])))
    while (fromEarlier.size > 0) for (const { run } of await ended(fromEarlier)) fromEarlier.delete(run)
  }

  /** Waits until at least one of these runs has ended, and returns those that have. */
  function ended(runs: Iterable<string>): Promise<readonly Ended[]> {
    return whichEnded([...runs].map((run) => ({ run, workflow: workflowId(run) })))
  }

  /** Tells a run whether the sweep is paused. */
  function send(run: string): void {
    getExternalWorkflowHandle(workflowId(run))
      .signal(paused ? pauseSignal : resumeSignal)
      .catch(() => undefined)
  }
}

const nothingYet = {
  rungs: 1,
  cells: 0,
  done: 0,
  cached: 0,
  incomplete: 0,
  stopped: 0,
  running: [],
  failures: [],
}

function countsOf(board: SweepSchedule): SweepCounts {
  const { cells, done, cached, incomplete, stopped, failures } = board.progress()
  return { cells, done, cached, incomplete, stopped, failed: failures.length }
}
