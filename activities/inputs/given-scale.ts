import type { Artifacts } from '../../artifacts/artifacts.ts'
import { UserError } from '../../common/errors.ts'
import { checkpointOf } from '../../experiment/models/model.ts'
import type { Preparation } from '../../experiment/models/pretrained.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { whiteOf } from '../../experiment/spec/white.ts'
import { readDataset } from '../runtime/blob-codecs.ts'

/** Means and deviations that differ by at most this share of white are the same after rounding. */
const TOLERANCE = 1e-6

/**
 * Refuses a checkpoint that normalises images otherwise than the experiment, if the experiment's
 * model names no normalisation. The experiment then uses the statistics of its data set, and only
 * now are they known. An exported checkpoint states those of the data set that it was trained on.
 * Throws a UserError.
 */
export async function refuseOtherScale(
  artifacts: Artifacts,
  dataset: ManifestOf<'dataset'>,
  { params }: ManifestOf<'checkpoint'>,
  model: ModelSpec,
): Promise<void> {
  if (model.name !== 'pretrained' || !('checkpoint' in params)) return
  const { preparation, architecture } = checkpointOf(model)
  const stated = params.checkpoint.preparation.normalise
  if (preparation.normalise || !stated) return
  const { mean, deviation } = await readDataset(artifacts, dataset)
  const white = whiteOf(dataset.params.facts)
  const own = { mean: eachChannel(mean, architecture), deviation: eachChannel(deviation, architecture) }
  const isSame = (['mean', 'deviation'] as const).every((name) =>
    own[name].every((value, i) => Math.abs((stated[name][i] ?? NaN) * white - value) <= TOLERANCE * white),
  )
  if (isSame) return
  const shown = ({ mean, deviation }: NonNullable<Preparation['normalise']>) =>
    `mean ${rounded(mean)} and deviation ${rounded(deviation)}`
  const used = { mean: own.mean.map((x) => x / white), deviation: own.deviation.map((x) => x / white) }
  throw new UserError(
    `the preprocessor_config.json of the checkpoint normalises images by ${shown(stated)}, and the experiment by the statistics ` +
      `of its data, ${shown(used)}; take the data, the test share, the validation share and seed.data with which the checkpoint ` +
      "was trained, or put its preprocessor_config.json beside the weights of the experiment's model",
  )
}

/** Grey images are repeated in every channel, and with them their mean and deviation. */
function eachChannel(values: Float32Array, { channels }: { readonly channels: number }): readonly number[] {
  return Array.from({ length: channels }, (_, i) => values[i] ?? values[0] ?? 0)
}

function rounded(values: readonly number[]): string {
  return `[${values.map((value) => value.toFixed(4)).join(', ')}]`
}
