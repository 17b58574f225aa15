import { layersOf } from '../../experiment/models/model.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { tensorflowEnvironment, tf } from '../../learning/tensorflow/tf.ts'
import { margins } from '../../unlearning/population/margin.ts'
import { shadowHalf } from '../../unlearning/population/shadows.ts'
import { deviceData, encodeWeights, pretrainedTensors } from '../runtime/device.ts'
import { fromScratch } from './from-scratch.ts'
import { lateSamples } from './late-samples.ts'
import type { StageBody } from '../runtime/stage.ts'
import { encodeShadow } from '../runtime/blob-codecs.ts'

const BATCH = 500

export const shadow: StageBody<'shadow'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { model, training, seed, index } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const pretrained = await pretrainedTensors(artifacts, inputs.checkpoint, model, layers)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { labels, classes } = data
    const all = Int32Array.from(labels, (_, i) => i)
    const members = shadowHalf(all.length, seed, index)
    const indices = all.filter((i) => members[i] === 1)
    const { result, seconds } = await timed(async () => {
      // The seed equals the original's. The purpose gives the shadow model other random streams.
      const purpose = `shadow ${index}`
      const late = lateSamples(training.order, facts, labels)
      const scratch = { layers, training, data, indices, seed, purpose, host, pretrained, late }
      const fitted = await fromScratch(scratch)
      const parameters = parametersOf(layers, fitted.weights)
      try {
        const onBatch = () => host.step({})
        const values = await predict(layers, parameters, data, all, microBatchSize(BATCH, host), { onBatch })
        return { ...fitted, phi: Float32Array.from(margins({ values, labels, classes })) }
      } finally {
        tf.dispose(parameters)
      }
    })
    const { weights, steps, curve, phi } = result
    return {
      outputs: { model: encodeWeights(layers, weights), margins: encodeShadow({ phi, members }) },
      metrics: {
        parameters: weights.trained.length,
        steps,
        curve,
        members: indices.length,
        samples: all.length,
      },
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}
