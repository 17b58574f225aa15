import { Batches, stepsOf } from './batches.ts'
import { lateStep } from '../../experiment/plan/training-steps.ts'

/** Samples that a training reads in its last part only. */
export interface LateSamples {
  readonly samples: Int32Array
  /** The share of the steps that reads them. */
  readonly last: number
}

export interface TrainingBatchesOptions {
  /** The samples to train on, also those that are left out. */
  readonly indices: Int32Array
  readonly batchSize: number
  readonly epochs: number
  readonly seed: number
  /** The name of the random streams. */
  readonly purpose: string
  /** All steps read all samples unless given. */
  readonly late?: LateSamples | undefined
  /** Samples that are left out of their batches. */
  readonly without?: Int32Array | undefined
}

/** The batch of one step. */
export interface TrainingBatch {
  /** All samples that are drawn for the step. */
  readonly drawn: Int32Array
  /** The rows of `drawn` that the step reads. Undefined if it reads all. */
  readonly rows: Int32Array | undefined
  /** The samples that the step reads, in this order. */
  readonly samples: Int32Array
}

/**
 * The batches of the training of a model. Samples that are left out change nothing else: the steps,
 * their learning rates and the order of the other samples are those of the training with them.
 */
export class TrainingBatches {
  readonly steps: number
  readonly perEpoch: number
  /** The first step that reads late samples, counted from 0. */
  private readonly lateFrom: number
  private readonly whole: Batches
  private readonly early: Batches
  private readonly without: ReadonlySet<number>

  constructor({ indices, batchSize, epochs, seed, purpose, late, without }: TrainingBatchesOptions) {
    this.whole = new Batches(indices, batchSize, seed, purpose)
    this.perEpoch = this.whole.perEpoch
    this.steps = stepsOf(epochs, this.whole)
    this.without = new Set(without)
    const lateSamples = new Set(late?.samples)
    const first = late ? indices.filter((i) => !lateSamples.has(i)) : indices
    // Without an early sample, there is no early part.
    this.lateFrom = late && first.length > 0 ? lateStep(late.last, this.steps) : 0
    this.early =
      this.lateFrom > 0 ? new Batches(first, batchSize, seed, `${purpose} without late samples`) : this.whole
  }

  /** The batch of a step (counted from 0). */
  at(step: number): TrainingBatch {
    const drawn = this.drawnAt(step)
    if (this.without.size === 0) return { drawn, rows: undefined, samples: drawn }
    const rows = Int32Array.from(drawn.keys()).filter((row) => !this.without.has(drawn[row] ?? -1))
    if (rows.length === drawn.length) return { drawn, rows: undefined, samples: drawn }
    return { drawn, rows, samples: rows.map((row) => drawn[row] ?? -1) }
  }

  /** The first step (counted from 0) that some of the samples are drawn for, if there is one. */
  firstStepWith(samples: Int32Array): number | undefined {
    const wanted = new Set(samples)
    for (let step = 0; step < this.steps; step++)
      if (this.drawnAt(step).some((i) => wanted.has(i))) return step
    return undefined
  }

  /** How many sizes of batches the steps have. */
  countSizes(): number {
    if (this.without.size === 0) return this.lateFrom > 0 ? 2 : 1
    return new Set(Array.from({ length: this.steps }, (_, step) => this.at(step).samples.length)).size
  }

  private drawnAt(step: number): Int32Array {
    return (step < this.lateFrom ? this.early : this.whole).at(step)
  }
}
