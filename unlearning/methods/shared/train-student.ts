import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import { augmentation, Batches } from '../../../learning/data/batches.ts'
import { fitLoss, type FitLoss } from '../../../learning/training/fit.ts'
import type { UnlearnContext, Unlearned } from '../../method.ts'

/** A loss of the method, and the number of samples that it reads of each set. */
export interface StudentRun extends Pick<FitLoss, 'steps' | 'loss' | 'changeGradient'> {
  readonly samples: { readonly retained: number; readonly forget: number }
}

/** Continues the training of the original model with a loss of the method. */
export async function trainStudent(
  { layers, original, host }: UnlearnContext,
  { samples, ...run }: StudentRun & Pick<FitLoss, 'optimizer' | 'schedule'>,
): Promise<Unlearned> {
  const { weights, steps, curve } = await fitLoss({ ...run, layers, initial: original, host })
  return { weights, metrics: { trainable: weights.trained.length, steps, samplesUsed: samples, curve } }
}

export interface Minibatch {
  readonly indices: Int32Array
  readonly images: Tensor4D
  readonly labels: Tensor1D
}

/**
 * Batches of some samples, augmented like those of the original's training, with random streams
 * named by `purpose`.
 */
export class Minibatches {
  readonly batches: Batches
  private readonly context: UnlearnContext
  private readonly purpose: string

  constructor(context: UnlearnContext, indices: Int32Array, size: number, purpose: string) {
    this.batches = new Batches(indices, size, context.seed, purpose)
    this.context = context
    this.purpose = purpose
  }

  /** The batch of a step (counted from 0). */
  at(step: number): Minibatch {
    const { data, training, seed } = this.context
    const indices = this.batches.at(step)
    const { perEpoch } = this.batches
    const images = data.images(indices, augmentation(training, seed, this.purpose, step, indices, perEpoch))
    data.prefetch(this.batches.at(step + 1))
    return { indices, images, labels: data.labelsOf(indices) }
  }
}
