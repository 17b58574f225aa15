import type { Rank, Tensor1D } from '@tensorflow/tfjs'
import type { OptimizerSpec } from '../../experiment/spec/optimizer.ts'
import { tf } from '../tensorflow/tf.ts'

/** The optimizer's state between steps: vectors with one value per parameter. */
export type OptimizerState = readonly Tensor1D[]

export function initialState(optimizer: OptimizerSpec, size: number): OptimizerState {
  const moments = optimizer.name === 'adam' ? 2 : optimizer.momentum > 0 ? 1 : 0
  return Array.from({ length: moments }, () => tf.zeros<Rank.R1>([size]))
}

/**
 * One optimizer step. Returns the new parameters and state. `step` counts from 0 and `rate` is the
 * learning rate of this step. Adam as in Kingma & Ba (2015) with decoupled weight decay (Loshchilov
 * & Hutter 2019). SGD as in PyTorch, with weight decay in the gradient.
 */
export function optimizerStep(
  optimizer: OptimizerSpec,
  parameters: Tensor1D,
  gradient: Tensor1D,
  state: OptimizerState,
  step: number,
  rate: number,
): { parameters: Tensor1D; state: OptimizerState } {
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
      return { parameters: decayed.sub(mean.div(deviation).mul(rate)), state: [m as Tensor1D, v as Tensor1D] }
    }
    case 'sgd': {
      const { momentum, nesterov, weightDecay } = optimizer
      const total = weightDecay > 0 ? gradient.add(parameters.mul(weightDecay)) : gradient
      const [velocity0] = state
      if (!velocity0) return { parameters: parameters.sub(total.mul(rate)), state }
      const velocity = velocity0.mul(momentum).add(total)
      const direction = nesterov ? total.add(velocity.mul(momentum)) : velocity
      return { parameters: parameters.sub(direction.mul(rate)), state: [velocity as Tensor1D] }
    }
  }
}
