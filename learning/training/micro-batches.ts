import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { Host } from './host.ts'
import type { NamedTensors } from '../model/parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * What θ makes of rows x [n, ...]: tensors [n, ...] whose rows are each their row's alone. `again`: it is asked for once more, for
 * the gradient.
 */
export type RowsOf = (flat: Tensor1D, x: Tensor, again: boolean) => NamedTensors

/**
 * f(θ, x), a part of the rows at a time: with the memory of one part, in time of another forward pass. Going forward, what a
 * part needs in between is dropped; going backward it is computed again, and the parts' gradients are added up:
 *
 *     ∂L/∂θ = Σ_parts (∂f(θ, x_part)/∂θ)ᵀ ∂L/∂f_part
 *
 * So any loss of f has the gradient that it has of the whole, within float error: gradient accumulation, also for
 * losses that are no mean over samples. Differentiable in θ alone. In one part it is f itself.
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
            return sum.add(apart(() => part(at as Tensor, rowsOf(dy, i))))
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

/** tfjs has one tape for gradients, and forgets it when one is taken while another goes backward. */
function apart<T>(gradient: () => T): T {
  const { state } = tf.engine()
  const { activeTape } = state
  try {
    return gradient()
  } finally {
    state.activeTape = activeTape
  }
}

/** How many samples a pass takes at a time, of as many as it takes where memory is enough. */
export function atATime(size: number, host: Host | undefined): number {
  return Math.ceil(size / (host?.parts ?? 1))
}

/** n rows in parts that differ by one row at most. None is empty: there are fewer then. */
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

/** Several tensors [n, ...] as one [n, m]. */
function pack(tensors: NamedTensors): Tensor {
  return tf.concat(
    Object.values(tensors).map((tensor) => tensor.reshape([tensor.shape[0] ?? 0, -1])),
    1,
  )
}

function unpack(packed: Tensor, columns: Columns): NamedTensors {
  const sizes = columns.map(({ size }) => size)
  // tfjs does not differentiate a split into one.
  const parts = sizes.length === 1 ? [packed] : tf.split(packed, sizes, 1)
  return Object.fromEntries(
    columns.map(({ name, shape }, i) => [
      name,
      (parts[i] as Tensor).reshape([packed.shape[0] ?? 0, ...shape]),
    ]),
  )
}
