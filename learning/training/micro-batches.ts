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
 * each part. The backward pass computes them again and adds the gradients of the parts:
 *
 *     ∂L/∂θ = Σ_parts (∂f(θ, x_part)/∂θ)ᵀ ∂L/∂f_part
 *
 * Any loss of f therefore has the gradient of the whole batch, up to float error, even a loss that
 * is not a mean over samples. Differentiable in θ only. With one part, this is f itself.
 */
export function inMicroBatches(parts: number, f: RowsOf, flat: Tensor1D, x: Tensor): NamedTensors {
  if (parts === 1) return f(flat, x, false)
  const bounds = boundsOf(x.shape[0] ?? 0, parts)
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
            const part = tf.grad((theta) => pack(f(theta as Tensor1D, rowsOf(rows as Tensor, i), true)))
            return sum.add(withOwnTape(() => part(at as Tensor, rowsOf(dy, i))))
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
  return Math.ceil(size / (host?.parts ?? 1))
}

/**
 * The bounds of n rows in parts whose sizes differ by at most one. No part is empty, so there are
 * at most n.
 */
function boundsOf(n: number, parts: number): readonly (readonly [from: number, to: number])[] {
  const count = Math.min(n, parts)
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
