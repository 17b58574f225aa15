import type { Layer } from '../../experiment/models/layers.ts'
import { DeviceData } from '../../learning/data/device-data.ts'
import type { Weights } from '../../learning/model/parameters.ts'
import { stream } from '../../learning/random.ts'

/**
 * Softmax regression on six samples with four features and three classes. It is small enough for
 * gradients by hand and for inverting its Hessian.
 */
export const features = 4
export const classes = 3

export const linearLayers: readonly Layer[] = [
  { kind: 'flatten', name: 'flatten' },
  { kind: 'linear', name: 'head', in: features, out: classes },
]

export const samples: readonly { readonly x: readonly number[]; readonly y: number }[] = [
  { x: [3, 0, 1, 0], y: 0 },
  { x: [2, 1, 0, 2], y: 0 },
  { x: [0, 4, 1, 1], y: 1 },
  { x: [1, 3, 0, 2], y: 1 },
  { x: [0, 1, 3, 4], y: 2 },
  { x: [2, 0, 4, 3], y: 2 },
]

export const linearData = () =>
  new DeviceData(
    Uint8Array.from(samples.flatMap(({ x }) => x)),
    Int32Array.from(samples, ({ y }) => y),
    { shape: [1, features, 1], classes, mean: [0], deviation: [1] },
  )

const random = stream(1, 'linear')

/** W [features, classes] by rows, then the bias. */
export const linearWeights: Weights = {
  trained: Float32Array.from({ length: (features + 1) * classes }, () => random.normal()),
  statistics: new Float32Array(),
}

/** softmax(x W + b). */
export function probabilities(x: readonly number[]): number[] {
  const logits = Array.from({ length: classes }, (_, c) =>
    [...x, 1].reduce((sum, value, i) => sum + value * (linearWeights.trained[i * classes + c] ?? NaN), 0),
  )
  const exponentials = logits.map(Math.exp)
  const total = exponentials.reduce((sum, value) => sum + value, 0)
  return exponentials.map((value) => value / total)
}

/** ∇_θ CE(x, y) = (x, 1) ⊗ (p − onehot(y)). */
export function gradientOf(x: readonly number[], y: number): number[] {
  const error = probabilities(x).map((p, c) => p - Number(c === y))
  return [...x, 1].flatMap((value) => error.map((e) => value * e))
}
