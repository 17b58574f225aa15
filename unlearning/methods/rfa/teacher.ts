import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import { frozenFeatures, type FrozenFeatures } from '../../../learning/model/features.ts'
import type { NamedTensors, Weights } from '../../../learning/model/parameters.ts'
import { parametersOf } from '../../../learning/model/predict.ts'
import type { RfaProblem } from './problem.ts'

/** Inputs of a layer, with their labels. */
export interface LabelledInput {
  /** [n, ...]. */
  readonly input: Tensor
  /** [n]. */
  readonly labels: Int32Array
}

/** The original model, frozen, and its features, which are computed once. */
export interface Teacher {
  /** θ_o as tensors. */
  readonly parameters: NamedTensors
  /** The input of layer `from` and f_l of the layers in `capture`, on D_r. */
  readonly retained: FrozenFeatures
  /** The input of layer `from` and the logits, on D_f. */
  readonly forget: FrozenFeatures
  /**
   * The input of layer `from` for the validation samples, [n_v, ...]. Computed at the first call.
   */
  readonly validationInput: () => Promise<Tensor>
}

/**
 * Runs the original model over D_r and D_f. For the target `leave-out` the features include the
 * input of the last layer.
 */
export async function frozenTeacher(
  { method, layers, data, samples, logits, capture, from, to, host }: RfaProblem,
  original: Weights,
): Promise<Teacher> {
  const parameters = parametersOf(layers, original)
  const isLeaveOut = method.target === 'leave-out'
  const lastInput = isLeaveOut && from < layers.length - 1 ? [penultimateName(layers)] : []
  const retained = await frozenFeatures(layers, parameters, data, samples.retained, {
    from,
    to: isLeaveOut ? layers.length : to,
    capture: new Set([...capture, ...lastInput]),
    host,
  })
  const forget = await frozenFeatures(layers, parameters, data, samples.forget, {
    from,
    capture: new Set([logits, ...lastInput]),
    host,
  })
  let validationInput: Tensor | undefined
  return {
    parameters,
    retained,
    forget,
    async validationInput() {
      const options = { from, to: from, capture: new Set<string>(), host }
      validationInput ??= (await frozenFeatures(layers, parameters, data, samples.validation, options)).input
      return validationInput
    },
  }
}

const penultimateName = (layers: RfaProblem['layers']) => layers.at(-2)?.name ?? ''

/**
 * The input of the last layer, [n, d]. If `from` is the last layer, this is the input of `from`.
 */
export function penultimateOf({ layers }: RfaProblem, { input, features }: FrozenFeatures): Tensor2D {
  return (features[penultimateName(layers)] ?? input) as Tensor2D
}
