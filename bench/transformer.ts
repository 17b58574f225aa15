import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { stream } from '../learning/random.ts'
import { tf } from '../learning/tensorflow/tf.ts'
import { attention, composed, gelu, geluTanh, layerNorm } from '../learning/model/transformer.ts'

/**
 * Forward and backward passes of transformer operations: the explicit gradients and those that tfjs
 * derives from the composition, in turns on the same inputs. The shapes are a batch of 64 images of
 * 32 pixels for ViT-tiny with patches of 4: 65 tokens of 192 channels, 3 heads and an MLP of 768.
 *
 *     npx tsx bench/transformer.ts
 */

const random = stream(1, 'bench')
const normal = (shape: number[]) =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((product, side) => product * side, 1) }, () => random.normal()),
    shape,
  )

type Operation = (...inputs: Tensor[]) => Tensor
const tokens = [64, 65, 192]
const [gamma, beta] = [normal([192]) as Tensor1D, normal([192]) as Tensor1D]
const cases: readonly (readonly [string, Operation, Operation, Tensor[]])[] = [
  [
    'layer norm',
    (x) => layerNorm(x, gamma, beta, 1e-6),
    (x) => composed.layerNorm(x, gamma, beta, 1e-6),
    [normal(tokens)],
  ],
  ['gelu', (x) => gelu(x), (x) => composed.gelu(x), [normal([64, 65, 768])]],
  ['gelu by tanh', (x) => geluTanh(x), (x) => composed.geluTanh(x), [normal([64, 65, 768])]],
  [
    'attention',
    (q, k, v) => attention(q, k, v, 3),
    (q, k, v) => composed.attention(q, k, v, 3),
    [normal(tokens), normal(tokens), normal(tokens)],
  ],
]

const seconds = (operation: Operation, inputs: Tensor[]) => {
  const start = performance.now()
  const gradients = tf.tidy(() =>
    tf.grads((...args: Tensor[]) =>
      operation(...args)
        .sum()
        .asScalar(),
    )(inputs),
  )
  for (const gradient of gradients) gradient.dataSync()
  tf.dispose(gradients)
  return (performance.now() - start) / 1000
}
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

for (const [name, written, derived, inputs] of cases) {
  const times: [number[], number[]] = [[], []]
  for (let i = 0; i < 23; i++) {
    const pair = [seconds(written, inputs), seconds(derived, inputs)] as const
    if (i >= 3) times.forEach((list, j) => list.push(pair[j] ?? NaN))
  }
  const [own, theirs] = times.map(median)
  console.log(
    `${name}: ${((own ?? NaN) * 1000).toFixed(1)} ms written out, ${((theirs ?? NaN) * 1000).toFixed(1)} ms derived, ` +
      `ratio ${((theirs ?? NaN) / (own ?? NaN)).toFixed(2)}`,
  )
}
