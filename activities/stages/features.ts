import { layersOf } from '../../experiment/models/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { featureDistances } from '../../unlearning/probes/feature-distance.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'

export const features: StageBody<'features'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { features: options, model, seed } = stage.params
  const { layers: names, samples } = options
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const weights = await readWeights(artifacts, inputs.model, layers)
  const gold = await readWeights(artifacts, inputs.goldModel, layers)
  const { retained, forget } = await readSplit(artifacts, inputs.split)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { result, seconds } = await timed(() =>
      featureDistances({ layers, names, weights, gold, data, retained, forget, samples, seed, host }),
    )
    return { outputs: {}, metrics: result, seconds, tensorflow: tensorflowEnvironment() }
  } finally {
    data.dispose()
  }
}
