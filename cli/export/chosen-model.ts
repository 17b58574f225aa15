import type { Artifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import type { ModelManifest } from '../../experiment/records/manifest.ts'
import type { RunRecord } from '../../experiment/records/run.ts'
import { rowsOf } from '../../experiment/stages/stage-list.ts'

/** The model of a row of a run's results, of the first seed. */
export interface ChosenModel {
  readonly label: string
  readonly manifest: ModelManifest
}

/**
 * Returns the model of the row with this label: a method, or a further gold model. Throws a
 * UserError if the run has no such row, or if its model is not in the store.
 */
export async function chosenModel(
  artifacts: Artifacts,
  { id, plan }: Pick<RunRecord, 'id' | 'plan'>,
  label: string,
): Promise<ChosenModel> {
  const rows = rowsOf(plan)
  const row = rows.find((one) => one.label === label)
  if (!row)
    throw new UserError(
      `the run ${id} has no method '${label}'; it has ${rows.map((one) => one.label).join(', ')}`,
    )
  const { unlearn, model } = row
  const manifest = await (unlearn
    ? artifacts.complete(unlearn)
    : artifacts.complete({ kind: 'train', key: model.key }))
  if (!manifest)
    throw new UserError(
      `the model of '${label}' is not in ${artifacts.store.url}: its stage has not finished, or was deleted. ` +
        `Run the experiment again: zeroshift resume ${id}`,
    )
  return { label, manifest }
}
