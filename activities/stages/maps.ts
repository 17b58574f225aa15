import { layersOf } from '../../experiment/models/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { featureMaps } from '../../unlearning/probes/maps.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import type { StageBody } from '../runtime/stage.ts'
import { encodeMaps } from './maps-blob.ts'

export const maps: StageBody<'maps'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { maps: options, model, seed } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const weights = await readWeights(artifacts, inputs.model, layers)
  const isGold = inputs.goldModel?.key === inputs.model.key
  const gold = isGold ? weights : inputs.goldModel && (await readWeights(artifacts, inputs.goldModel, layers))
  const { retained, forget, test, forgottenTest } = await readSplit(artifacts, inputs.split)
  const sets = { retained, forget, test: Int32Array.from([...test, ...forgottenTest]) }
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { result, seconds } = await timed(() =>
      featureMaps({ layers, options, weights, gold, data, sets, seed, host }),
    )
    return {
      outputs: { maps: encodeMaps(result.maps) },
      metrics: result.metrics,
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}
