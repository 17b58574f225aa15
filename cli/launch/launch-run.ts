import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { StoredInput } from '../../experiment/plan/run-parts.ts'
import { recordOf, type RunInput, type RunResult } from '../../experiment/records/run.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { searchAttributesOf } from '../../experiment/records/search-attributes.ts'
import { fairShare, resumeSignal, workflowId, workflowType } from '../../workflows/names.ts'
import { displayOn, type Display } from '../output/follow.ts'
import { runWriter, runWriterWith } from '../output/render-run.ts'
import type { RunView } from '../output/run-progress.ts'
import { uploadAttachments } from './attachments.ts'
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

/** Shows the run until it ends, on the command's output unless another display is given. */
export async function watchRun(
  launched: Launched<RunResult>,
  { run, settings }: RunInput,
  server: CommandServer,
  display?: Display<RunView>,
): Promise<Outcome<RunResult>> {
  const { progressOf } = await import('../output/run-progress.ts')
  const { out } = server.output
  // Lines of a log have no place for the time that is left.
  const writer = out.isTTY ? runWriterWith(timesOf(run, settings.store)) : runWriter
  const progress = {
    read: () => progressOf(launched.handle),
    display: display ?? (await displayOn(out, writer)),
    everyMs: out.isTTY ? 200 : 500,
  }
  return watchWorkflow(launched, server, progress, () =>
    trackingNotes(launched.server.client, run.id, settings.tracking),
  )
}

/**
 * Returns the estimated seconds of a run's stages. The map is filled in the background, since many
 * manifests may be read. It stays empty if the store cannot be read here.
 */
function timesOf({ plan }: RunInput['run'], store: string): ReadonlyMap<string, number> {
  const times = new Map<string, number>()
  import('../output/estimate.ts')
    .then(({ estimateFrom }) => estimateFrom(openArtifacts(store), stagesOf(plan)))
    .then(
      ({ byKey }) => {
        for (const [key, seconds] of byKey) times.set(key, seconds)
      },
      () => undefined,
    )
  return times
}

/** The largest run, in bytes, that is part of its workflow's input. Temporal takes up to 2 MB. */
const MOST_BYTES = 2 ** 17

/**
 * Returns the input of a run's workflow. A small run is passed as it is, so that this machine need
 * not reach the workers' store. A large one is written to the store, where its workflow reads it in
 * pieces, and so is one with attachments, which have to be in the store.
 */
async function workflowInput(input: RunInput): Promise<RunInput | StoredInput> {
  const attachments = attachmentsOf(input.run.plan)
  if (attachments.length === 0 && Buffer.byteLength(JSON.stringify(input)) <= MOST_BYTES) return input
  const { store } = input.settings
  await refuseUnusableStore(store)
  const artifacts = openArtifacts(store)
  await artifacts.putRun(recordOf(input))
  await uploadAttachments(artifacts, attachments)
  return { stored: input.run.id, store }
}
