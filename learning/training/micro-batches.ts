import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { Host } from './host.ts'
import type { NamedTensors } from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * A function of θ and rows x [n, ...]. It returns tensors [n, ...] in which each row depends only
 * on the same row of x. `again` is true when a result is recomputed for the gradient.
 */
export type RowsOf = (flat: Tensor1D, x: Tensor, again: boolean) => NamedTensors

/**
 * Computes f(θ, x) in micro-batches, with the memory of one micro-batch and the additional time of
 * one forward pass (gradient checkpointing). The forward pass drops the intermediate tensors of
 * each micro-batch. The backward pass computes them again and adds the gradients:
 *
 *     ∂L/∂θ = Σ_m (∂f(θ, x_m)/∂θ)ᵀ ∂L/∂f_m, over the micro-batches m
 *
 * Any loss of f therefore has the gradient of the whole batch, up to float error, even a loss that
 * is not a mean over samples. Differentiable in θ only. With a `count` of 1, this is f itself.
 */
export function inMicroBatches(count: number, f: RowsOf, flat: Tensor1D, x: Tensor): NamedTensors {
  if (count === 1) return f(flat, x, false)
  const bounds = boundsOf(x.shape[0] ?? 0, count)
  const rowsOf = (whole: Tensor, i: number) => {
    const [from, to] = bounds[i] ?? [0, 0]
    return whole.slice([from], [to - from])
  }
  let columns: Columns = []
  const packed = tf.customGrad((...args: unknown[]) => {
    const [theta] = args as [Tensor1D]
    const save = args[1] as (tensors: Tensor[]) => void
    save([theta, x])
    const outputs = bounds.map((_, i) =>
      tf.tidy(() => {
        const tensors = f(theta, rowsOf(x, i), false)
        columns = columnsOf(tensors)
        return pack(tensors)
      }),
    )
    const gradFunc = (dy: Tensor, [at, rows]: Tensor[]) =>
      bounds.reduce<Tensor>(
        (sum, _, i) => {
          const next = tf.tidy(() => {
            const gradient = tf.grad((theta) => pack(f(theta as Tensor1D, rowsOf(rows as Tensor, i), true)))
            return sum.add(withOwnTape(() => gradient(at as Tensor, rowsOf(dy, i))))
          })
          sum.dispose()
          return next
        },
        tf.zerosLike(at as Tensor),
      )
    return { value: tf.concat(outputs), gradFunc }
  })(flat)
  return unpack(packed, columns)
}

/**
 * Runs a gradient with a tape of its own. tfjs has one tape and loses it when a gradient is taken
 * during a backward pass.
 */
function withOwnTape<T>(gradient: () => T): T {
  const { state } = tf.engine()
  const { activeTape } = state
  try {
    return gradient()
  } finally {
    state.activeTape = activeTape
  }
}

/** The number of samples to process at once. `size` is the number when memory suffices. */
export function microBatchSize(size: number, host: Host | undefined): number {
  return Math.ceil(size / (host?.microBatches ?? 1))
}

/**
 * The bounds of n rows in micro-batches whose sizes differ by at most one. None is empty, so there
 * are at most n.
 */
function boundsOf(n: number, most: number): readonly (readonly [from: number, to: number])[] {
  const count = Math.min(n, most)
  const bound = (i: number) => Math.floor((i * n) / count)
  return Array.from({ length: count }, (_, i) => [bound(i), bound(i + 1)])
}

type Columns = readonly { readonly name: string; readonly shape: readonly number[]; readonly size: number }[]

function columnsOf(tensors: NamedTensors): Columns {
  return Object.entries(tensors).map(([name, { shape, size }]) => ({
    ...{ name, shape: shape.slice(1) },
    size: size / (shape[0] ?? 1),
  }))
}

/** Concatenates several tensors [n, ...] to one [n, m]. */
function pack(tensors: NamedTensors): Tensor {
  return tf.concat(
    Object.values(tensors).map((tensor) => tensor.reshape([tensor.shape[0] ?? 0, -1])),
    1,
  )
}

function unpack(packed: Tensor, columns: Columns): NamedTensors {
  const sizes = columns.map(({ size }) => size)
  // tfjs does not differentiate a split into one part.
  const parts = sizes.length === 1 ? [packed] : tf.split(packed, sizes, 1)
  return Object.fromEntries(
    columns.map(({ name, shape }, i) => [
      name,
      (parts[i] as Tensor).reshape([packed.shape[0] ?? 0, ...shape]),
    ]),
  )
}
