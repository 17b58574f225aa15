import { layersOf } from '../../experiment/models/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { relearn as learnAgain } from '../../unlearning/probes/relearn.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import { readLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'

export const relearn: StageBody<'relearn'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { relearn: options, model, augment, seed } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const initial = await readWeights(artifacts, inputs.model, layers)
  const { forget } = await readSplit(artifacts, inputs.split)
  const { forget: original } = await readLogits(artifacts, inputs.originalEvaluation)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { result, seconds } = await timed(() =>
      learnAgain({ ...options, layers, initial, data, forget, original, augment, seed, host }),
    )
    return { outputs: {}, metrics: result, seconds, tensorflow: tensorflowEnvironment() }
  } finally {
    data.dispose()
  }
}
