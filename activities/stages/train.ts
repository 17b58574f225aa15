import { layersOf } from '../../experiment/models/model.ts'
import { keptSteps, trainingSteps } from '../../experiment/plan/training-steps.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { refuseOtherScale } from '../inputs/given-scale.ts'
import { deviceData, encodeWeights, pretrainedTensors } from '../runtime/device.ts'
import { fromScratch, newWeights } from './from-scratch.ts'
import { keepStates } from './kept-states.ts'
import { lateSamples } from './late-samples.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { takeGiven } from './take-given.ts'

export const train: StageBody<'train'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { params } = stage
  if (params.on === 'given') return takeGiven(artifacts, inputs, params.model)
  const { on, model, training, seed } = params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  if (inputs.checkpoint) await refuseOtherScale(artifacts, inputs.dataset, inputs.checkpoint, model)
  const pretrained = await pretrainedTensors(artifacts, inputs.checkpoint, model, layers)
  const { data, train: all } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const indices = inputs.split ? (await readSplit(artifacts, inputs.split)).retained : all
    const late = lateSamples(training.order, facts, data.labels)
    const options = { layers, training, data, indices, seed, purpose: 'train', pretrained, late }
    const { result, seconds } = await timed(async () => {
      if (on === 'nothing')
        return { fitted: { weights: newWeights(layers, seed, 'twin'), steps: 0, curve: [] }, kept: {} }
      if (!training.replay) return { fitted: await fromScratch({ ...options, host }), kept: {} }
      const steps = keptSteps(trainingSteps(training, indices.length), training.replay.checkpoints)
      const keeping = await keepStates(host, artifacts, steps)
      const fitted = await fromScratch({ ...options, host: keeping.host })
      return { fitted, kept: { initial: encodeWeights(layers, fitted.initial), ...keeping.outputs() } }
    })
    const { fitted, kept } = result
    return {
      outputs: { model: encodeWeights(layers, fitted.weights), ...kept },
      metrics: { parameters: fitted.weights.trained.length, steps: fitted.steps, curve: fitted.curve },
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}
