import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { layersOf } from '../../experiment/models/model.ts'
import type { InputManifests } from '../../experiment/records/manifest.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { output } from '../runtime/blob-codecs.ts'
import { encodeWeights } from '../runtime/device.ts'
import { refuseOtherScale } from '../inputs/given-scale.ts'
import { weightsOf } from '../inputs/given-weights.ts'
import type { StageWork } from '../runtime/stage.ts'

/**
 * The result of a stage that takes a model from elsewhere: its weights under the names of the
 * experiment's model, or the logits that it was given by. No step is taken and no time is counted.
 */
export async function takeGiven(
  artifacts: Artifacts,
  { dataset, checkpoint }: InputManifests<'train'>,
  model: ModelSpec,
): Promise<StageWork<'train'>> {
  if (!checkpoint) throw new Error('a model from elsewhere has no files')
  const nothing = { steps: 0, curve: [] }
  const { logits } = checkpoint.outputs
  if (logits) return { outputs: { logits }, metrics: { parameters: 0, ...nothing }, seconds: 0 }
  await refuseOtherScale(artifacts, dataset, checkpoint, model)
  const { facts } = dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const { tensors } = decodeTensors(await artifacts.getBlob(output(checkpoint, 'model')))
  const weights = weightsOf(layers, tensors, 'the model from elsewhere')
  return {
    outputs: { model: encodeWeights(layers, weights) },
    metrics: { parameters: weights.trained.length, ...nothing },
    seconds: 0,
  }
}
