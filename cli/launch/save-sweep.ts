import type { Artifacts } from '../../artifacts/artifacts.ts'
import { mapConcurrently } from '../../common/concurrency.ts'
import { canonicalJson } from '../../common/canonical.ts'
import { attachmentsOf } from '../../experiment/plan/attachments.ts'
import { recordOf, type RunInput } from '../../experiment/records/run.ts'
import { uploadAttachments } from './attachments.ts'
import type { PreparedSweep } from './prepare-sweep.ts'
import { storePrograms } from './store-programs.ts'

/**
 * Writes the records of a sweep and of all its runs before anything runs. A run's record that is in
 * the store already with the same contents stays as it is, with the stages that failed.
 */
export async function saveSweep(artifacts: Artifacts, { sweep, runs }: PreparedSweep): Promise<void> {
  await mapConcurrently([...runs.values()], async (input) => {
    if (input.run.plan.programs) await storePrograms(artifacts, input)
    if (!(await isSaved(artifacts, input))) await artifacts.putRun(recordOf(input))
    await uploadAttachments(artifacts, attachmentsOf(input.run.plan))
  })
  const { failures } = (await artifacts.sweep(sweep.id)) ?? {}
  await artifacts.putSweep({ ...sweep, ...(failures && { failures }) })
}

async function isSaved(artifacts: Artifacts, input: RunInput): Promise<boolean> {
  const saved = await artifacts.run(input.run.id)
  if (!saved) return false
  const { failed: _, ...record } = saved
  return canonicalJson(record) === canonicalJson(recordOf(input))
}
