import { fit, type Fit, type Fitted } from '../learning/fit.ts'
import type { Layer } from '../experiment/model.ts'
import { initialWeights, parameterSpecs, type Weights } from '../learning/parameters.ts'
import { stream } from '../learning/random.ts'

type Scratch = Pick<Fit, 'layers' | 'training' | 'data' | 'indices' | 'seed' | 'purpose' | 'host'>

/** Trains a model from new weights, on some samples: the original, the gold and the shadow models. */
export function fromScratch(options: Scratch): Promise<Fitted> {
  const { layers, training, seed, purpose } = options
  const initial = newWeights(layers, seed, purpose)
  return fit({ ...training, ...options, initial })
}

export function newWeights(layers: readonly Layer[], seed: number, purpose: string): Weights {
  return initialWeights(parameterSpecs(layers), stream(seed, purpose, 'weights'))
}
