import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { OptimizerSpec } from '../../experiment/spec/optimizer.ts'
import { sizeOf, type ParameterSpec } from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/** The coefficients of the polynomial aX + bX(XᵀX) + cX(XᵀX)² that moves singular values to 1. */
const [A, B, C] = [3.4445, -4.775, 2.0315]
const ITERATIONS = 3

/**
 * One step of Muon (K. Jordan 2024) for the kernels of convolutions [k, k, in, out], which count as
 * matrices [k·k·in, out]:
 *
 *     v ← µ·v + g,    W ← √out · W / ‖W‖ − rate · orthogonalised(g + µ·v)
 *
 * All other parameters take a step of SGD, with the rate, momentum and weight decay of `others`.
 * `factor` is that of the schedule and applies to both rates. Returns the new parameters and v.
 */
export function muonStep(
  { learningRate, momentum, nesterov, others }: Extract<OptimizerSpec, { name: 'muon' }>,
  specs: readonly ParameterSpec[],
  {
    parameters,
    gradient,
    velocity,
    rates,
  }: {
    readonly parameters: Tensor1D
    readonly gradient: Tensor1D
    readonly velocity: Tensor1D
    readonly rates: Tensor1D | undefined
  },
  factor: number,
): { readonly parameters: Tensor1D; readonly velocity: Tensor1D } {
  // Without specs, no parameter is known to be a kernel.
  const shapes = specs.length > 0 ? specs : [{ shape: [parameters.size] }]
  const cut = (flat: Tensor1D): readonly Tensor1D[] => tf.split(flat, shapes.map(sizeOf))
  const [values, gradients, velocities] = [cut(parameters), cut(gradient), cut(velocity)]
  const factors = rates && cut(rates)
  const moved = shapes.map(({ shape }, i) => {
    const [theta, g, v0] = [values[i], gradients[i], velocities[i]] as [Tensor1D, Tensor1D, Tensor1D]
    const own = factors?.[i]
    const scaled = (x: Tensor) => (own ? x.mul(own) : x)
    if (shape.length !== 4) {
      const rate = others.learningRate * factor
      const total = scaled(g).add(theta.mul(others.weightDecay))
      const v = v0.mul(others.momentum).add(total)
      const direction = others.nesterov ? total.add(v.mul(others.momentum)) : v
      return { theta: theta.sub<Tensor1D>(direction.mul(rate)), v: v as Tensor1D }
    }
    const out = shape[3] ?? 0
    const v = v0.mul(momentum).add(g)
    const direction = nesterov ? g.add(v.mul(momentum)) : v
    const step = orthogonalised(direction.reshape([-1, out])).reshape([-1])
    const normed = theta.mul(Math.sqrt(out)).div(theta.square().sum().sqrt())
    return { theta: normed.sub<Tensor1D>(scaled(step).mul(learningRate * factor)), v: v as Tensor1D }
  })
  return {
    parameters: tf.concat(moved.map(({ theta }) => theta)),
    velocity: tf.concat(moved.map(({ v }) => v)),
  }
}

/**
 * UVᵀ of the singular value decomposition UΣVᵀ of a matrix, approximately: three Newton-Schulz
 * iterations bring the singular values close to 1.
 */
export function orthogonalised(matrix: Tensor2D): Tensor2D {
  const [rows, columns] = matrix.shape
  const isTall = rows > columns
  let x: Tensor2D = matrix.div(matrix.square().sum().sqrt().add(1e-7))
  for (let i = 0; i < ITERATIONS; i++) {
    // The smaller of XᵀX and XXᵀ.
    const square: Tensor2D = tf.matMul(x, x, isTall, !isTall)
    const polynomial: Tensor2D = square.mul(B).add(tf.matMul(square, square).mul(C))
    x = x.mul(A).add(isTall ? tf.matMul(x, polynomial) : tf.matMul(polynomial, x))
  }
  return x
}
