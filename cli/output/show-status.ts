import { setTimeout as sleep } from 'node:timers/promises'
import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client'
import { decodeFromPayloadsAtIndex } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { mapConcurrently } from '../../common/concurrency.ts'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { readLedger } from '../../artifacts/stored-ledgers.ts'
import type { LedgerInput, LedgerProgress, LedgerResult } from '../../experiment/ledger/ledger.ts'
import type { StoredInput } from '../../experiment/plan/run-parts.ts'
import type { RunLabels } from '../../experiment/records/run-labels.ts'
import type { RunInput, RunResult } from '../../experiment/records/run.ts'
import type { SweepInput, SweepProgress, SweepRecord, SweepResult } from '../../experiment/sweep/sweep.ts'
import { ledgerType, progressQuery, sweepType, workflowId, workflowType } from '../../workflows/names.ts'
import { follow, displayOn, type Writer } from './follow.ts'
import { ledgerWriter } from './render-ledger.ts'
import { counted } from './format.ts'
import { listRuns, shownTypes, stateOf, times, type RunState } from '../server/run-list.ts'
import { coloursOf, columns, print, printJson } from './print.ts'
import { progressOf, type RunView } from './run-progress.ts'
import { errorReason } from '../server/unwrap-error.ts'
import { runWriter } from './render-run.ts'
import { retryLines, type Retry } from './retry-lines.ts'
import { sweepWriter } from './render-sweep.ts'
import { sweepViewOf, type SweepView } from './sweep-progress.ts'
import type { Server } from '../server/temporal.ts'

export interface StatusOptions {
  readonly json?: true
  readonly watch?: true
  readonly temporal?: string
}

/** Lists runs, sweeps and ledgers. The cells of sweeps are left to `zeroshift runs`. */
export async function printList(client: Client, server: Server, { json }: StatusOptions): Promise<number> {
  const listed = (await listRuns(client, server, shownTypes)).filter(
    ({ type, sweep }) => type !== workflowType || sweep === undefined,
  )
  const runs = await mapConcurrently(listed, async (run) => ({
    ...run,
    state: run.state === 'running' && (await isPaused(client, run.id)) ? ('paused' as const) : run.state,
  }))
  if (json)
    printJson({
      runs: runs.map(({ id, type, state, startedAt, seconds }) => ({ id, type, state, startedAt, seconds })),
    })
  else if (runs.length === 0) print('no runs yet')
  else
    print(
      columns([
        ['RUN', 'TYPE', 'STATE', 'STARTED', 'TOOK'],
        ...runs.map((run) => [run.id, run.type, run.state, ...times(run)]),
      ]),
    )
  return 0
}

/** For how long a workflow is waited for, which answers only if it has a worker. */
const ANSWER_MS = 2000

/** Whether a run or a sweep is paused. One that does not answer counts as running. */
function isPaused(client: Client, id: string): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId(id))
  return Promise.race([
    handle.query<Pick<SweepProgress, 'paused'>>(progressQuery).then(
      ({ paused }) => paused ?? false,
      () => false,
    ),
    sleep(ANSWER_MS, false, { ref: false }),
  ])
}

/** The functions that show a run or a sweep. */
interface StatusView<P, R> {
  readonly readProgress: () => Promise<P>
  readonly writer: Writer<P>
  /** The text for a run or a sweep that has completed. */
  readonly summary: (result: R) => string
  /** The progress as `--json` prints it. */
  readonly json: (progress: P) => object
  /** The command that continues after an interruption. `resume` is the default. */
  readonly goOn?: string
}

/**
 * Prints the progress or the result of a run, a sweep or a ledger. Returns the exit code, or
 * undefined if the server does not have it.
 */
export async function printOne(
  client: Client,
  server: Server,
  id: string,
  options: StatusOptions,
): Promise<number | undefined> {
  const handle = client.workflow.getHandle(workflowId(id))
  const description = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  })
  if (!description) return undefined
  if (description.type === ledgerType) {
    const { config } = await ledgerOf(handle)
    return printStatus(
      id,
      handle as WorkflowHandle<Ledger>,
      server,
      options,
      ledgerStatusView(handle, config),
    )
  }
  return description.type === sweepType
    ? printStatus(id, handle as WorkflowHandle<Sweep>, server, options, await sweepStatusView(client, handle))
    : printStatus(id, handle as WorkflowHandle<Experiment>, server, options, runStatusView(handle))
}

type Sweep = (input: SweepInput) => Promise<SweepResult>
type Experiment = (input: RunInput) => Promise<RunResult>

function runStatusView(handle: WorkflowHandle): StatusView<RunView, RunResult> {
  return {
    readProgress: () => progressOf(handle),
    writer: runWriter,
    summary: ({ computed, cached, report }) =>
      `${computed} stages computed, ${cached} cached; report: ${report}`,
    json: (progress) => ({ ...progress, retries: jsonRetries(progress.retries) }),
  }
}

type Ledger = (input: LedgerInput) => Promise<LedgerResult>

/** The name of a ledger and the path of its config, or its name if the store cannot be reached. */
async function ledgerOf(handle: WorkflowHandle): Promise<{ readonly name: string; readonly config: string }> {
  const { name, store } = await inputOf<LedgerInput>(handle)
  try {
    return { name, config: (await readLedger(openArtifacts(store), name))?.config ?? name }
  } catch {
    return { name, config: name }
  }
}

function ledgerStatusView(
  handle: WorkflowHandle,
  config: string,
): StatusView<LedgerProgress & { readonly retries: readonly Retry[] }, LedgerResult> {
  return {
    readProgress: async () => ({ ...(await handle.query<LedgerProgress>(progressQuery)), retries: [] }),
    writer: ledgerWriter,
    summary: ({ name, settled }) =>
      `${counted(settled.length, 'request')} settled; ./zeroshift ledger ${name}`,
    json: ({ retries: _, ...progress }) => progress,
    goOn: `./zeroshift forget ${config} --queued`,
  }
}

async function sweepStatusView(
  client: Client,
  handle: WorkflowHandle,
): Promise<StatusView<SweepView, SweepResult>> {
  return {
    readProgress: () => sweepViewOf(client, handle),
    writer: sweepWriter((await recordOf(handle)) ?? { columns: [], cells: [] }),
    summary: ({ cells, done, failures, report }) =>
      `${done} of ${counted(cells, 'cell')} done, ${failures.length} failed; report: ${report}`,
    json: ({ sweep, runs, workers, retries }) => ({
      ...sweep,
      running: runs,
      workers,
      retries: jsonRetries(retries),
    }),
  }
}

/** The retries as `--json` prints them: the reason, and when the next attempt begins. */
function jsonRetries(retries: readonly Retry[]): readonly object[] {
  return retries.map(({ stage, reason, attempt, nextAt }) => ({
    stage,
    reason,
    attempt,
    nextAttempt: nextAt === undefined ? null : new Date(nextAt).toISOString(),
  }))
}

/**
 * Returns the sweep's record, which has the names of its cells. Returns undefined if the store
 * cannot be reached from here.
 */
async function recordOf(handle: WorkflowHandle): Promise<SweepRecord | undefined> {
  try {
    const { id, store } = await inputOf<SweepInput>(handle)
    return await openArtifacts(store).sweep(id)
  } catch {
    return undefined
  }
}

/**
 * Returns the tags and the note of a run. Returns undefined if it has none, or if the store cannot
 * be reached from here.
 */
async function labelsOf(id: string, handle: WorkflowHandle): Promise<RunLabels | undefined> {
  try {
    const input = await inputOf<Pick<RunInput, 'settings'> | StoredInput>(handle)
    return await openArtifacts('settings' in input ? input.settings.store : input.store).labels(id)
  } catch {
    return undefined
  }
}

/** The input with which a workflow was started. */
async function inputOf<T>(handle: WorkflowHandle): Promise<T> {
  const { events } = await handle.fetchHistory()
  const payloads = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads
  return decodeFromPayloadsAtIndex<T>(handle.client.options.loadedDataConverter, 0, payloads)
}

async function printStatus<P extends { readonly retries: readonly Retry[] }, R>(
  id: string,
  handle: WorkflowHandle<() => Promise<R>>,
  server: Server,
  { json, watch }: StatusOptions,
  { readProgress, writer, summary, json: jsonOf, goOn = `./zeroshift resume ${id}` }: StatusView<P, R>,
): Promise<number> {
  let state = stateOf(await handle.describe(), server)
  if (state === 'running' && watch) {
    const out = json ? process.stderr : process.stdout
    const ended = handle.result().catch(() => undefined)
    await follow(readProgress, ended, await displayOn(out, writer), out.isTTY ? 1000 : 2000)
    state = stateOf(await handle.describe(), server)
  }
  const progress = state === 'running' ? await readProgress() : undefined
  const { result, error } = await endResult<R>(handle, state)
  const labels = await labelsOf(id, handle)
  if (json) {
    const details = {
      ...(progress && { progress: jsonOf(progress) }),
      ...(result && { result }),
      ...(error !== undefined && { error }),
    }
    printJson({ id, state, ...(labels && { labels }), ...details })
    return 0
  }
  if (progress) {
    const width = process.stdout.columns || 100
    const now = Date.now()
    print(writer.render(progress, width, now, coloursOf(process.stdout).isColorSupported))
    for (const line of retryLines(progress.retries, process.stdout.columns || Infinity, now)) print(line)
  } else print(`${id}: ${state}`)
  if (labels && labels.tags.length > 0) print(`tags: ${labels.tags.join(', ')}`)
  if (labels?.note !== undefined) print(`note: ${labels.note}`)
  if (result) print(summary(result))
  if (error) print(error)
  if (state !== 'running' && state !== 'completed') print(`To go on: ${goOn}`)
  return 0
}

async function endResult<R>(
  handle: WorkflowHandle<() => Promise<R>>,
  state: RunState,
): Promise<{ readonly result?: R; readonly error?: string }> {
  if (state === 'completed') return { result: (await handle.result()) as R }
  if (state !== 'failed') return {}
  return handle.result().then(
    () => ({}),
    (error: unknown) => ({ error: errorReason(error) }),
  )
}
