import type { TrainingSpec } from '../spec/training.ts'

/** The steps of the training of a model on a number of samples. */
export interface TrainingSteps {
  readonly steps: number
  readonly perEpoch: number
  /** The first step (counted from 0) that reads late samples. 0 if all steps read all samples. */
  readonly lateFrom: number
}

export function trainingSteps(
  { epochs, batchSize, order }: Pick<TrainingSpec, 'epochs' | 'batchSize' | 'order'>,
  samples: number,
): TrainingSteps {
  const perEpoch = Math.floor(samples / Math.min(batchSize, samples))
  const steps = Math.max(1, Math.round(epochs * perEpoch))
  return { steps, perEpoch, lateFrom: order ? lateStep(order.last, steps) : 0 }
}

/** The first step (counted from 0) of the last share of some steps, which is one step at least. */
export function lateStep(last: number, steps: number): number {
  return Math.min(steps - 1, Math.round((1 - last) * steps))
}

/**
 * The numbers of steps after which the training keeps its state, ascending. A sample is read for
 * the first time in the first epoch that may read it. Therefore, the states divide this epoch into
 * equal parts: the first one, or the first one with late samples, whose beginning is kept, too.
 */
export function keptSteps(
  { steps, perEpoch, lateFrom }: TrainingSteps,
  checkpoints: number,
): readonly number[] {
  const span = Math.min(perEpoch, steps - lateFrom)
  // The state before the first step needs no checkpoint.
  const parts = lateFrom > 0 ? checkpoints : checkpoints + 1
  const kept = Array.from({ length: parts }, (_, i) => lateFrom + Math.floor((i * span) / parts))
  return [...new Set(kept)].filter((step) => step > 0)
}
