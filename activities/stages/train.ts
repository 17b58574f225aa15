import { layersOf } from '../../experiment/models/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { deviceData, encodeWeights, pretrainedTensors } from '../runtime/device.ts'
import { fromScratch, newWeights } from './from-scratch.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { takeGiven } from './take-given.ts'

export const train: StageBody<'train'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { params } = stage
  if (params.on === 'given') return takeGiven(artifacts, inputs, params.model)
  const { on, model, training, seed } = params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const pretrained = await pretrainedTensors(artifacts, inputs.checkpoint, model, layers)
  const { data, train: all } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const indices = inputs.split ? (await readSplit(artifacts, inputs.split)).retained : all
    const { result, seconds } = await timed(() =>
      on === 'nothing'
        ? { weights: newWeights(layers, seed, 'twin'), steps: 0, curve: [] }
        : fromScratch({ layers, training, data, indices, seed, purpose: 'train', host, pretrained }),
    )
    return {
      outputs: { model: encodeWeights(layers, result.weights) },
      metrics: { parameters: result.weights.trained.length, steps: result.steps, curve: result.curve },
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}
