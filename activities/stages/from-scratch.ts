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
import { stream } from '../../learning/random.ts'

type Scratch = Pick<Fit, 'layers' | 'training' | 'data' | 'indices' | 'seed' | 'purpose' | 'host'> & {
  /** Tensors of a checkpoint, by name. They replace new weights. */
  readonly pretrained?: Tensors | undefined
}

/** Trains a model from new or pre-trained weights: the original, a gold model or a shadow model. */
export function fromScratch({ pretrained, ...options }: Scratch): Promise<Fitted> {
  const { layers, training, seed, purpose } = options
  const fresh = newWeights(layers, seed, purpose)
  const initial = pretrained ? withTensors(parameterSpecs(layers), fresh, pretrained) : fresh
  const whole = { ...training, ...options, initial }
  return training.tune ? tuneModel(training.tune, whole) : fit(whole)
}

export function newWeights(layers: readonly Layer[], seed: number, purpose: string): Weights {
  return initialWeights(parameterSpecs(layers), stream(seed, purpose, 'weights'))
}
