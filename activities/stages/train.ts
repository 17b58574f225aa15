import { layersOf } from '../../experiment/models/model.ts'
import { keptSteps, trainingSteps } from '../../experiment/plan/training-steps.ts'
import type { BlobRef } from '../../experiment/records/manifest.ts'
import type { AccuracySpec } from '../../experiment/spec/training.ts'
import { sample, stream } from '../../learning/random.ts'
import type { AccuracyChecks } from '../../learning/training/accuracy-curve.ts'
import type { Fitted } from '../../learning/training/fit.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import { refuseOtherScale } from '../inputs/given-scale.ts'
import { deviceData, encodeWeights, pretrainedTensors } from '../runtime/device.ts'
import { fromScratch, newWeights } from './from-scratch.ts'
import { keepStates } from './kept-states.ts'
import { lateSamples } from './late-samples.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { takeGiven } from './take-given.ts'

/** A trained model, and what its training kept for `replay`. */
interface Result {
  readonly fitted: Fitted
  readonly kept: Readonly<Record<string, Uint8Array | BlobRef>>
}

export const train: StageBody<'train'> = async ({ stage, artifacts, inputs, host, timed, untimed }) => {
  const { params } = stage
  if (params.on === 'given') return takeGiven(artifacts, inputs, params.model)
  const { on, model, training, seed } = params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  if (inputs.checkpoint) await refuseOtherScale(artifacts, inputs.dataset, inputs.checkpoint, model)
  const pretrained = await pretrainedTensors(artifacts, inputs.checkpoint, model, layers)
  const { data, ...all } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const split = inputs.split && (await readSplit(artifacts, inputs.split))
    const indices = split?.retained ?? all.train
    const late = lateSamples(training.order, facts, data.labels)
    const purpose = 'train'
    const measured = training.accuracy && {
      every: training.accuracy.every,
      samples: measuredSamples(training.accuracy, seed, purpose, {
        training: indices,
        validation: split?.validation ?? all.validation,
      }),
      untimed,
    }
    const options = {
      ...{ layers, training, data, indices, seed, purpose, pretrained, late },
      accuracyChecks: measured,
    }
    const { result, seconds } = await timed(async (): Promise<Result> => {
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
      metrics: {
        parameters: fitted.weights.trained.length,
        steps: fitted.steps,
        curve: fitted.curve,
        ...(fitted.accuracy && { accuracy: fitted.accuracy }),
      },
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    data.dispose()
  }
}

/**
 * The samples whose accuracy is measured in a training: of each set as many as asked for, always
 * the same ones.
 */
function measuredSamples(
  { samples }: AccuracySpec,
  seed: number,
  purpose: string,
  sets: AccuracyChecks['samples'],
): AccuracyChecks['samples'] {
  const draw = (set: keyof typeof sets) =>
    sample(sets[set], samples, stream(seed, purpose, 'accuracy', set)).sort()
  return { training: draw('training'), validation: draw('validation') }
}
