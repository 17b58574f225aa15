import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
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
  TerminatedFailure,
  TimeoutFailure,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError, type SearchAttributePair } from '@temporalio/common'
import type { Activities } from '../activities/index.ts'
import type { Ended } from '../activities/sweep.ts'
import { SweepBoard, type Place } from '../experiment/sweep/board.ts'
import {
  judgementOf,
  type CellInput,
  type RunEnding,
  type SweepChange,
  type SweepCounts,
  type SweepInput,
  type SweepProgress,
  type SweepResult,
} from '../experiment/sweep/sweep.ts'
import type { RunResult } from '../experiment/records/run.ts'
import { startSweepTracking, type SweepTracker } from './tracking.ts'
import {
  changeUpdate,
  fairShare,
  pauseSignal,
  progressQuery,
  resumeSignal,
  workflowId,
  workflowType,
  type Queue,
} from './names.ts'

const queue = 'zeroshift' satisfies Queue
const retry = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s' }

const { cellsOf, settled, reportSweep } = proxyActivities<Activities>({
  taskQueue: queue,
  startToCloseTimeout: '1h',
  heartbeatTimeout: '1m',
  retry,
})

/** Waits for as long as runs take. */
const { whichEnded } = proxyActivities<Activities>({
  taskQueue: queue,
  startToCloseTimeout: '365d',
  heartbeatTimeout: '10s',
  retry,
})

/** Runs that are looked up in the store at once. */
const CHUNK = 50

/** A run that is to begin, with what it is found by. */
interface Ready {
  readonly place: Place
  readonly attributes: SearchAttributePair[]
}

type Experiment = (input: CellInput) => Promise<RunResult>

/**
 * Many experiments, a few at a time. Whatever ends one ends no other: the report says which are missing, and why. What is
 * known of the cells is small, and is handed on before the history grows too long; runs go on meanwhile, and the
 * execution that follows waits for them.
 */
export async function sweep(input: SweepInput): Promise<SweepResult> {
  const { id, store } = input
  let { maxParallel } = input
  let paused = input.state?.paused ?? false
  const startedAt = input.state?.startedAt ?? Date.now()
  let extended = false
  let board: SweepBoard | undefined
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
  // A cancellation that comes meanwhile is to reach the runs that an earlier execution began.
  const { halving, isTracked, ...asked } = await (input.state
    ? CancellationScope.nonCancellable(read)
    : read())
  const known = (board = new SweepBoard(asked, input.state, input.leave))
  /** Runs of which the store does not have all. */
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

  /** Runs until nothing is left to run. */
  async function rounds(): Promise<void> {
    for (;;) {
      const isFull = () => paused || starting + known.running >= maxParallel
      const isOver = () => ready.length === 0 && starting === 0 && known.running === 0 && !known.hasNext()
      const canBegin = () => !isFull() && (ready.length > 0 || known.hasNext())
      await condition(() => extended || isLong() || canBegin() || isOver())
      // What comes true in the task that brings a cancellation wins over it, and the next execution would know nothing of it.
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

  /** Nothing may be half-begun when another execution takes over. */
  function isLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo()
    return (continueAsNewSuggested || historyLength > (input.historyEvents ?? Infinity)) && starting === 0
  }

  /** Those of which something is still to be computed. What the store has counts as done. */
  async function missing(places: readonly Place[]): Promise<readonly Ready[]> {
    const left = input.leave !== undefined
    const found = await settled({ store, sweep: id, runs: places.map(({ run }) => run), left })
    return places.flatMap((place, i) => {
      const there = found[i]
      if (!there) return []
      if ('attributes' in there) return [{ place, attributes: there.attributes }]
      known.ended(place, there.incomplete ? 'i' : 'c', judgementOf(there.results, halving))
      return []
    })
  }

  function begin(next: Ready): void {
    const conducting = conduct(next)
    children.add(conducting)
    void conducting.then(() => children.delete(conducting))
  }

  async function conduct({ place, attributes }: Ready): Promise<void> {
    starting++
    let child: ChildWorkflowHandle<Experiment>
    try {
      child = await startChild<Experiment>(workflowType, {
        workflowId: workflowId(place.run),
        args: [{ cell: place.run, store, sweep: id }],
        // Sweeps and runs take turns at the workers, whatever each has there.
        priority: fairShare(id),
        ...(input.searchable && { typedSearchAttributes: attributes }),
        // The execution that continues this one waits for it.
        parentClosePolicy: ParentClosePolicy.ABANDON,
      })
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) {
        known.begun(place, 'j')
        others.add(place)
      } else known.failed(place, childFailureReason(error))
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
      settle(place, { error: childFailureReason(error) })
    }
  }

  function settle(place: Place, ending: RunEnding): void {
    if ('error' in ending) known.failed(place, ending.error)
    else
      known.ended(
        place,
        ending.result.failed.length > 0 ? 'i' : 'd',
        judgementOf(ending.result.results, halving),
      )
  }

  /** Waits for runs that are not this execution's children. */
  function watchOthers(places: readonly Place[]) {
    const waited = new Map(places.map((place) => [place.run, place]))
    let asking: CancellationScope | undefined
    const watch = async () => {
      while (waited.size > 0) {
        asking = new CancellationScope()
        try {
          const ends = await asking.run(() => ended(waited.keys()))
          for (const { run, ...ending } of ends) {
            const place = waited.get(run)
            waited.delete(run)
            if (place) settle(place, ending)
          }
        } catch (error) {
          // Cancelled to ask again with one more.
          if (!isCancellation(error) || CancellationScope.current().consideredCancelled) return
        } finally {
          asking = undefined
        }
      }
    }
    void watch()
    return {
      add(place: Place) {
        waited.set(place.run, place)
        if (asking) asking.cancel()
        else void watch()
      },
    }
  }

  /**
   * Cancels what is the sweep's own, and waits for it. Children are cancelled with their parent, but not those that another
   * execution began, and one that was just being started may have been missed: each is told.
   */
  async function ownEnded(): Promise<void> {
    await condition(() => starting === 0)
    const running = new Set(known.underWay('r').map(({ run }) => run))
    await Promise.allSettled([...running].map((run) => getExternalWorkflowHandle(workflowId(run)).cancel()))
    await Promise.all(children)
    const going = new Set(carried.flatMap(({ run }) => (running.has(run) ? [run] : [])))
    while (going.size > 0) for (const { run } of await ended(going)) going.delete(run)
  }

  function ended(runs: Iterable<string>): Promise<readonly Ended[]> {
    return whichEnded([...runs].map((run) => ({ run, workflow: workflowId(run) })))
  }

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

function countsOf(board: SweepBoard): SweepCounts {
  const { cells, done, cached, incomplete, stopped, failures } = board.progress()
  return { cells, done, cached, incomplete, stopped, failed: failures.length }
}

/** What a person needs to know of how a child ended. */
function childFailureReason(error: unknown): string {
  let cause = error
  while ((cause instanceof ChildWorkflowFailure || cause instanceof ActivityFailure) && cause.cause)
    cause = cause.cause
  if (cause instanceof TerminatedFailure) return 'it was terminated'
  if (cause instanceof TimeoutFailure) return 'it timed out'
  if (isCancellation(cause)) return 'it was cancelled'
  return cause instanceof Error ? cause.message : String(cause)
}
