import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { StoredInput } from '../../experiment/plan/run-parts.ts'
import { recordOf, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import { searchAttributesOf } from '../../experiment/records/search-attributes.ts'
import { fairShare, resumeSignal, workflowId, workflowType } from '../../workflows/names.ts'
import { displayOn } from '../output/follow.ts'
import { runWriter } from '../output/render-run.ts'
import type { CommandServer } from './command-server.ts'
import { trackingNotes } from './tracking-notes.ts'
import { refuseUnusableStore } from './usable-store.ts'
import { watchWorkflow, type Launched, type Outcome } from './watch-workflow.ts'

type Experiment = (input: RunInput | StoredInput) => Promise<RunResult>

/**
 * Starts a run's workflow. Joins it if it runs already, and resumes it if it is paused. Returns
 * undefined, and starts nothing, if Ctrl-C came first.
 */
export async function launchRun(
  input: RunInput,
  { connect, interruption }: CommandServer,
): Promise<Launched<RunResult> | undefined> {
  const { id } = input.run
  const server = await connect()
  if (interruption.requested()) return undefined
  if (input.run.plan.programs) await keepPrograms(input)
  const handle = await server.client.workflow.start<Experiment>(workflowType, {
    workflowId: workflowId(id),
    taskQueue: 'zeroshift',
    workflowIdConflictPolicy: 'USE_EXISTING',
    priority: fairShare(id),
    ...(server.searchable && { typedSearchAttributes: searchAttributesOf(input.run) }),
    args: [await workflowInput(input)],
  })
  await handle.signal(resumeSignal)
  return { handle, server }
}

/** Stores the files of the run's external programs, which the workers read from the store. */
async function keepPrograms(input: RunInput): Promise<void> {
  const { store } = input.settings
  await refuseUnusableStore(store)
  const { storePrograms } = await import('./store-programs.ts')
  await storePrograms(openArtifacts(store), input)
}

/** Shows the run until it ends. */
export async function watchRun(
  launched: Launched<RunResult>,
  { run, settings }: RunInput,
  server: CommandServer,
): Promise<Outcome<RunResult>> {
  const { progressOf } = await import('../output/run-progress.ts')
  const { out } = server.output
  const progress = {
    read: () => progressOf(launched.handle),
    display: await displayOn(out, runWriter),
    everyMs: out.isTTY ? 200 : 500,
  }
  return watchWorkflow(launched, server, progress, () =>
    trackingNotes(launched.server.client, run.id, settings.tracking),
  )
}

/** The largest run, in bytes, that is part of its workflow's input. Temporal takes up to 2 MB. */
const MOST_BYTES = 2 ** 17

/**
 * Returns the input of a run's workflow. A small run is passed as it is, so that this machine need
 * not reach the workers' store. A large one is written to the store, where its workflow reads it in
 * pieces.
 */
async function workflowInput(input: RunInput): Promise<RunInput | StoredInput> {
  if (Buffer.byteLength(JSON.stringify(input)) <= MOST_BYTES) return input
  const { store } = input.settings
  await refuseUnusableStore(store)
  await openArtifacts(store).putRun(recordOf(input))
  return { stored: input.run.id, store }
}
