import {
  CancellationScope,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import type { Activities } from '../activities/index.ts'
import type { NextRequest, PlannedStep } from '../activities/ledger.ts'
import type {
  LedgerInput,
  LedgerProgress,
  LedgerResult,
  SettledRequest,
} from '../experiment/ledger/ledger.ts'
import type { StoredInput } from '../experiment/plan/run-parts.ts'
import type { Attempt } from '../experiment/records/deletion.ts'
import type { RunResult } from '../experiment/records/run.ts'
import { bookkeeping, waiting } from './activity-options.ts'
import { childFailureMessage } from './child-failure.ts'
import { fairShare, progressQuery, requestedSignal, workflowId, workflowType } from './names.ts'

const { nextRequest, planStep, judgeStep, settleRequest } = proxyActivities<Activities>(bookkeeping)

/** The activity that waits for a run that somebody else has started. */
const { whichEnded } = proxyActivities<Activities>(waiting)

type Experiment = (input: StoredInput) => Promise<RunResult>

/**
 * Fulfils the deletion requests of a ledger, one after the other, and ends when every request has a
 * record. Each step of the ladder is an experiment in a workflow of its own. The requests, their
 * records and thereby the model in use are in the store. This workflow only says what comes next,
 * so that another one can continue after its end, however it ended.
 */
export async function ledger(input: LedgerInput): Promise<LedgerResult> {
  const { name, store } = input
  const settled: SettledRequest[] = []
  let current: LedgerProgress['current']
  let isRequested = true
  setHandler(defineSignal(requestedSignal), () => {
    isRequested = true
  })
  setHandler(defineQuery<LedgerProgress>(progressQuery), () => ({
    name,
    settled,
    ...(current && { current }),
  }))

  while (isRequested) {
    isRequested = false
    for (;;) {
      const { next } = await nextRequest({ name, store })
      if (!next) break
      settled.push(await fulfil(next))
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof ledger>(input)
    }
  }
  return { name, settled }

  /** Tries the steps of the ladder until a model is accepted, and records the outcome. */
  async function fulfil({ number, steps }: NextRequest): Promise<SettledRequest> {
    const attempts: Attempt[] = []
    for (const [i, label] of steps.entries()) {
      const step = i + 1
      const planned = await planStep({ name, store, number, step })
      const { run } = planned
      current = { number, step, steps: steps.length, label, run }
      const failure = await failureOf(planned)
      const attempt = await judgeStep({
        name,
        store,
        number,
        step,
        run,
        ...(failure !== undefined && { failure }),
      })
      attempts.push(attempt)
      if (attempt.outcome === 'accepted') break
    }
    current = undefined
    return settleRequest({ name, store, number, attempts })
  }

  /** Executes a run. Returns the reason of its failure, or undefined if it has a report. */
  async function failureOf({ run, attributes }: PlannedStep): Promise<string | undefined> {
    try {
      await executeChild<Experiment>(workflowType, {
        workflowId: workflowId(run),
        args: [{ stored: run, store }],
        priority: fairShare(name),
        ...(input.searchable && { typedSearchAttributes: attributes }),
      })
      return undefined
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return failureElsewhere(run)
      if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error
      return childFailureMessage(error)
    }
  }

  /** Waits for a run that was started by itself, for example by `resume`. */
  async function failureElsewhere(run: string): Promise<string | undefined> {
    const [ending] = await whichEnded([{ run, workflow: workflowId(run) }])
    return ending && 'error' in ending ? ending.error : undefined
  }
}
