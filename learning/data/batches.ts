import type { TrainingSpec } from '../../experiment/spec/training.ts'
import { permutation, stream } from '../random.ts'
import type { Augmentation } from './device-data.ts'

/**
 * The batches of a training run over `indices`. Each epoch has a new order, from a stream named by
 * the epoch, so the batch of any step is known without taking the steps before it. Samples at the
 * end of an epoch that do not fill a batch are left out.
 */
export class Batches {
  readonly perEpoch: number
  private epoch = -1
  private order = new Int32Array()
  private readonly indices: Int32Array
  private readonly size: number
  private readonly seed: number
  private readonly purpose: string

  constructor(indices: Int32Array, size: number, seed: number, purpose: string) {
    this.indices = indices
    this.size = Math.min(size, indices.length)
    this.seed = seed
    this.purpose = purpose
    this.perEpoch = Math.floor(indices.length / this.size)
  }

  /** The positions in `indices` of the batch of a step (counted from 0). */
  positions(step: number): Int32Array {
    const epoch = Math.floor(step / this.perEpoch)
    if (epoch !== this.epoch) {
      this.epoch = epoch
      this.order = permutation(
        this.indices.length,
        stream(this.seed, this.purpose, 'order', epoch),
      ) as Int32Array<ArrayBuffer>
    }
    const first = (step % this.perEpoch) * this.size
    return this.order.subarray(first, first + this.size)
  }

  /** The sample indices of the batch of a step (counted from 0). */
  at(step: number): Int32Array {
    return this.positions(step).map((position) => this.indices[position] ?? 0)
  }
}

/** The number of steps of `epochs`, which may be a fraction; at least 1. */
export function stepsOf(epochs: number, batches: Batches): number {
  return Math.max(1, Math.round(epochs * batches.perEpoch))
}

/**
 * The augmentation of the samples in the batch of a step, of a training with `perEpoch` steps in an
 * epoch; undefined without augmentation. Draws come from a stream named by the step, except for
 * alternating flips: a stream named by the sample decides whether it is flipped in even or in odd
 * epochs (K. Jordan 2024, arXiv 2404.00498).
 */
export function augmentation(
  { augment: { flip, ...crop } }: Pick<TrainingSpec, 'augment'>,
  seed: number,
  purpose: string,
  step: number,
  batch: Int32Array,
  perEpoch: number,
): Augmentation | undefined {
  if (crop.crop === 0 && flip === false) return undefined
  const random = stream(seed, purpose, 'augment', step)
  if (flip !== 'alternating') return { ...crop, flip, random }
  const isOdd = Math.floor(step / perEpoch) % 2 === 1
  const flips = Array.from(batch, (i) => stream(seed, purpose, 'flip', i).uniform() < 0.5 !== isOdd)
  return { ...crop, flip: flips, random }
}
