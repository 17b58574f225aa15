import type { Rank, Tensor1D } from '@tensorflow/tfjs'
import type { OptimizerSpec } from '../../experiment/spec/optimizer.ts'
import type { ParameterSpec } from '../model/parameters.ts'
import { muonStep } from './muon.ts'
import { tf } from '../tensorflow/tf.ts'

/** The optimizer's state between steps: vectors with one value per parameter. */
export type OptimizerState = readonly Tensor1D[]

export function initialState(optimizer: OptimizerSpec, size: number): OptimizerState {
  const moments = optimizer.name === 'adam' ? 2 : optimizer.momentum > 0 ? 1 : 0
  return Array.from({ length: moments }, () => tf.zeros<Rank.R1>([size]))
}

/** What a step depends on. All vectors have one value per parameter. */
export interface OptimizerInput {
  readonly parameters: Tensor1D
  readonly gradient: Tensor1D
  readonly state: OptimizerState
  /** Factors of the learning rate; 1 unless given. They leave the weight decay as it is. */
  readonly rates?: Tensor1D | undefined
  /** The parameters in their order, which Muon needs. */
  readonly specs?: readonly ParameterSpec[] | undefined
}

/**
 * One optimizer step. Returns the new parameters and state. `step` counts from 0 and `factor` is
 * that of the schedule. Adam as in Kingma & Ba (2015) with decoupled weight decay (Loshchilov &
 * Hutter 2019). SGD as in PyTorch, with weight decay in the gradient.
 */
export function optimizerStep(
  optimizer: OptimizerSpec,
  { parameters, gradient, state, rates, specs = [] }: OptimizerInput,
  step: number,
  factor: number,
): { parameters: Tensor1D; state: OptimizerState } {
  const rate = optimizer.learningRate * factor
  switch (optimizer.name) {
    case 'adam': {
      const [m0, v0] = state as readonly [Tensor1D, Tensor1D]
      const { beta1, beta2, weightDecay } = optimizer
      const m = m0.mul(beta1).add(gradient.mul(1 - beta1))
      const v = v0.mul(beta2).add(gradient.square().mul(1 - beta2))
      const mean = m.div(1 - beta1 ** (step + 1))
      const deviation = v
        .div(1 - beta2 ** (step + 1))
        .sqrt()
        .add(1e-8)
      const decayed = weightDecay > 0 ? parameters.mul(1 - rate * weightDecay) : parameters
      const direction = rates ? mean.div(deviation).mul(rates) : mean.div(deviation)
      return { parameters: decayed.sub(direction.mul(rate)), state: [m as Tensor1D, v as Tensor1D] }
    }
    case 'sgd': {
      const { momentum, nesterov, weightDecay } = optimizer
      // A factor of the gradient is a factor of the rate that does not apply to the weight decay.
      const own = rates ? gradient.mul<Tensor1D>(rates) : gradient
      const total = weightDecay > 0 ? own.add(parameters.mul(weightDecay)) : own
      const [velocity0] = state
      if (!velocity0) return { parameters: parameters.sub(total.mul(rate)), state }
      const velocity = velocity0.mul(momentum).add(total)
      const direction = nesterov ? total.add(velocity.mul(momentum)) : velocity
      return { parameters: parameters.sub(direction.mul(rate)), state: [velocity as Tensor1D] }
    }
    case 'muon': {
      const [velocity] = state as readonly [Tensor1D]
      const moved = muonStep(optimizer, specs, { parameters, gradient, velocity, rates }, factor)
      return { parameters: moved.parameters, state: [moved.velocity] }
    }
  }
}
