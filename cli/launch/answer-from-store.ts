import { openArtifacts } from '../../artifacts/artifacts.ts'
import { readFormat } from '../../artifacts/format/store-format.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import type { RunInput, RunProgress, RunResult } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { signingKey } from '../../signatures/setting.ts'
import { displayOn, type Display } from '../output/follow.ts'
import type { Output } from '../output/output.ts'
import { runWriter } from '../output/render-run.ts'
import { uploadAttachments } from './attachments.ts'
import type { CommandServer, LaunchOptions } from './command-server.ts'
import type { Outcome } from './watch-workflow.ts'

/**
 * A run whose stages are all in the store needs no workflow: the command reads them and writes the
 * report itself, so that it starts no Temporal server, no worker and no TensorFlow. It writes to
 * the store what the workflow would write.
 */

/**
 * Whether a run may be answered from the store, as far as is known before it is planned. The run
 * needs a workflow if another server than the command's own would execute it, if it is tracked, if
 * the worker's places are restricted, and if the store has no results.
 */
export async function mayAnswerFromStore(
  { store, tracking }: RunInput['settings'],
  { detach }: LaunchOptions,
  { isOwn, interruption }: Pick<CommandServer, 'isOwn' | 'interruption'>,
): Promise<boolean> {
  if (!isOwn || detach || tracking || interruption.requested()) return false
  const { allowedPrefixes } = await import('../../activities/runtime/allowed-places.ts')
  if (Object.values(allowedPrefixes()).some((list) => list !== undefined)) return false
  return (await readFormat(openArtifacts(store).store)) !== undefined
}

/**
 * Returns the outcome of a run whose stages are all in the store, and shows them, on the command's
 * output unless another display is given. Returns undefined if a workflow is needed: a stage has to
 * be computed, or an earlier workflow of the run has not ended.
 */
export async function answerFromStore(
  input: RunInput,
  { out }: Pick<Output, 'out'>,
  otherDisplay?: Display<RunProgress>,
): Promise<Outcome<RunResult> | undefined> {
  // The workflow meets the same error, and tries again or reports it.
  const result = await resultInStore(input).catch(() => undefined)
  if (!result) return undefined
  const { id, plan } = input.run
  const display = otherDisplay ?? (await displayOn(out, runWriter))
  display.show({
    id,
    stages: stagesOf(plan).map(({ key, kind, title }) => ({ key, kind, title, state: 'cached' })),
  })
  display.end()
  return { status: 'completed', result, notes: [] }
}

async function resultInStore(input: RunInput): Promise<RunResult | undefined> {
  const { run, settings } = input
  const stages = stagesOf(run.plan)
  const artifacts = openArtifacts(settings.store)
  const last = stages.at(-1)
  // A store that lacks stages usually lacks the last one.
  if (!last || !(await artifacts.complete(last))) return undefined
  const earlier = await artifacts.run(run.id)
  // A workflow writes the failures when it ends.
  if (earlier && !earlier.failed) return undefined
  const { keptStages } = await import('../../activities/runtime/stored-run.ts')
  const kept = await keptStages({ run, settings })
  if (kept.length < stages.length) return undefined
  const { concludeRun } = await import('../../activities/report.ts')
  const { url, digest, results, absent = [] } = await concludeRun(artifacts, input, [], signingKey())
  if (absent.length > 0) return undefined
  // The stages may have been copied from another store, without the attachments of a run.
  await uploadAttachments(artifacts, attachmentsOf(run.plan))
  return {
    ...{ id: run.id, computed: 0, cached: stages.length, stageSeconds: 0, failed: [], notes: [] },
    ...{ report: url, digest, results },
  }
}
