import {
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { Activities } from '../activities/index.ts'
import type { NextRequest, PlannedStep } from '../activities/ledger.ts'
import type {
  LedgerInput,
  LedgerProgress,
  LedgerResult,
  Requested,
  SettledRequest,
} from '../experiment/ledger/ledger.ts'
import type { StoredInput } from '../experiment/plan/run-parts.ts'
import type { Attempt } from '../experiment/records/deletion.ts'
import type { RunResult } from '../experiment/records/run.ts'
import { bookkeeping, waiting } from './activity-options.ts'
import { childFailureMessage } from './child-failure.ts'
import {
  fairShare,
  pauseSignal,
  progressQuery,
  requestedSignal,
  resumeSignal,
  workflowId,
  workflowType,
} from './names.ts'

const { nextRequest, planStep, judgeStep, settleRequest } = proxyActivities<Activities>(bookkeeping)

/** The activity that waits for a run that somebody else has started. */
const { whichEnded } = proxyActivities<Activities>(waiting)

type Experiment = (input: StoredInput) => Promise<RunResult>

/**
 * Fulfils the deletion requests of a ledger, one after the other or in batches, and ends when every
 * request has a record. Each step of the ladder is an experiment in a workflow of its own. The
 * requests, the end of a batch, the records and thereby the model in use are in the store. This
 * workflow only says what comes next, so that another one can continue after its end, however it
 * ended.
 */
export async function ledger(input: LedgerInput): Promise<LedgerResult> {
  const { name, store } = input
  const settled: SettledRequest[] = []
  let current: LedgerProgress['current']
  let waiting: LedgerProgress['waiting']
  let isRequested = true
  let isNow = input.state?.now ?? false
  let isPaused = input.state?.paused ?? false
  /** The run that this execution has started and that goes on. */
  let child: string | undefined
  setHandler(defineSignal<[Requested?]>(requestedSignal), ({ now = false } = {}) => {
    isRequested = true
    isNow ||= now
  })
  setHandler(defineSignal(pauseSignal), () => {
    setPaused(true)
  })
  setHandler(defineSignal(resumeSignal), () => {
    setPaused(false)
  })
  setHandler(defineQuery<LedgerProgress>(progressQuery), () => ({
    name,
    ...(isPaused && { paused: isPaused }),
    settled,
    ...(waiting && { waiting }),
    ...(current && { current }),
  }))

  while (isRequested) {
    isRequested = false
    for (;;) {
      await unlessPaused()
      const now = isNow
      const { next, waiting: batch } = await nextRequest({ name, store, ...(now && { now }) })
      if (batch) {
        const { left, ...shown } = batch
        waiting = shown
        // A new request may make the batch larger, and its end is not moved by it.
        await condition(() => isRequested || isNow, left)
        isRequested = false
        continue
      }
      waiting = undefined
      if (now || !next) isNow = false
      if (!next) break
      settled.push(...(await fulfil(next)))
      if (workflowInfo().continueAsNewSuggested)
        await continueAsNew<typeof ledger>({ ...input, state: { paused: isPaused, now: isNow } })
    }
  }
  return { name, settled }

  /** Tries the steps of the ladder until a model is accepted, and records the outcome. */
  async function fulfil({ number, last, steps }: NextRequest): Promise<readonly SettledRequest[]> {
    const attempts: Attempt[] = []
    const task = { name, store, number, ...(last !== undefined && { last }) }
    for (const [i, label] of steps.entries()) {
      const step = i + 1
      await unlessPaused()
      const planned = await planStep({ ...task, step })
      const { run } = planned
      current = { number, ...(last !== undefined && { last }), step, steps: steps.length, label, run }
      const failure = await failureOf(planned)
      const attempt = await judgeStep({
        ...task,
        step,
        run,
        ...(failure !== undefined && { failure }),
      })
      attempts.push(attempt)
      if (attempt.outcome === 'accepted') break
    }
    current = undefined
    const first = await settleRequest({ ...task, attempts })
    return Array.from({ length: (last ?? number) - number + 1 }, (_, i) => ({ ...first, number: number + i }))
  }

  /** Waits while the ledger is paused. */
  async function unlessPaused(): Promise<void> {
    if (!isPaused) return
    current = undefined
    await condition(() => !isPaused)
  }

  function setPaused(to: boolean): void {
    isPaused = to
    if (child !== undefined) send(child)
  }

  /** Tells a run whether the ledger is paused. */
  function send(run: string): void {
    getExternalWorkflowHandle(workflowId(run))
      .signal(isPaused ? pauseSignal : resumeSignal)
      .catch(() => undefined)
  }

  /** Executes a run. Returns the reason of its failure, or undefined if it has a report. */
  async function failureOf({ run, attributes }: PlannedStep): Promise<string | undefined> {
    try {
      const started = await startChild<Experiment>(workflowType, {
        workflowId: workflowId(run),
        args: [{ stored: run, store }],
        priority: fairShare(name),
        ...(input.searchable && { typedSearchAttributes: attributes }),
      })
      child = run
      if (isPaused) send(run)
      await started.result()
      return undefined
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return failureElsewhere(run)
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error
      return childFailureMessage(error)
    } finally {
      child = undefined
    }
  }

  /** Waits for a run that was started by itself, for example by `resume`. */
  async function failureElsewhere(run: string): Promise<string | undefined> {
    const [ending] = await whichEnded([{ run, workflow: workflowId(run) }])
    return ending && 'error' in ending ? ending.error : undefined
  }
}
