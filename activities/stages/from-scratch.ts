import { tuneModel } from '../../learning/training/tune.ts'
import { fit, type Fit, type Fitted } from '../../learning/training/fit.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import {
  initialWeights,
  parameterSpecs,
  withTensors,
  type Tensors,
  type Weights,
} from '../../learning/model/parameters.ts'
import { whitened } from '../../learning/model/whitening.ts'
import { stream } from '../../learning/random.ts'

type Scratch = Pick<
  Fit,
  'layers' | 'training' | 'data' | 'indices' | 'accuracyChecks' | 'seed' | 'purpose' | 'host' | 'late'
> & {
  /** Tensors of a checkpoint, by name. They replace new weights. */
  readonly pretrained?: Tensors | undefined
}

/**
 * Trains a model from new or pre-trained weights: the original, a gold model or a shadow model.
 * Whitening layers are computed from the samples that the model is trained on, and from no others.
 * Also returns the weights before the first step.
 */
export async function fromScratch({
  pretrained,
  ...options
}: Scratch): Promise<Fitted & { readonly initial: Weights }> {
  const { layers, training, data, indices, seed, purpose, host } = options
  const fresh = await whitened(layers, newWeights(layers, seed, purpose), data, indices, {
    random: stream(seed, purpose, 'whitening'),
    host,
  })
  const initial = pretrained ? withTensors(parameterSpecs(layers), fresh, pretrained) : fresh
  const whole = { ...training, ...options, initial }
  const fitted = training.tune ? await tuneModel(training.tune, whole) : await fit(whole)
  return { ...fitted, initial }
}

export function newWeights(layers: readonly Layer[], seed: number, purpose: string): Weights {
  return initialWeights(parameterSpecs(layers), stream(seed, purpose, 'weights'))
}
