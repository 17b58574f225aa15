import { counted } from '../../common/counted.ts'
import type { CurvePoint } from '../records/measured.ts'
import type { ApproximateMethodSpec } from '../spec/methods.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { ProgramParams } from '../spec/program.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineStage } from './definition.ts'

/** Makes an unlearned model from the original by an approximate method or an external program. */
export const unlearn = defineStage<{
  readonly params:
    | {
        /** The options of the row. A tuned row takes those of the best variant instead. */
        readonly method: ApproximateMethodSpec
        readonly model: ModelSpec
        readonly training: TrainingSpec
        readonly seed: number
      }
    | {
        readonly program: ProgramParams
        /** The model whose weights the program gets. Absent if the original is external, too. */
        readonly model?: ModelSpec
        readonly seed: number
      }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly original: 'train'
    /** Present if the row is tuned. */
    readonly tuned?: 'tune'
    /** The files of the program. Absent if the method is part of Zeroshift. */
    readonly program?: 'program'
  }
  readonly metrics: {
    /** Absent if the method is a program. */
    readonly trainable?: number
    readonly steps: number
    /**
     * Distinct training samples that the method used, by set. Absent if the method is a program
     * that has not reported them.
     */
    readonly samplesUsed?: { readonly retained: number; readonly forget: number }
    readonly curve: readonly CurvePoint[]
    /** The last value of each figure that an external program has reported. */
    readonly figures?: Readonly<Record<string, number>>
    /** Present for residual feature alignment only. */
    readonly residuals?: readonly ResidualPoint[]
    /** Present for residual feature alignment with the option `norms`. */
    readonly norms?: ResidualNorms
    /** Present for replay only. */
    readonly replay?: ReplayedSteps
    /** Present for sisa only. `steps` are those of the repeated part. */
    readonly sisa?: RepeatedShards
    /** The checks of the stopping rule. Present if the method has one. */
    readonly looks?: readonly StoppingCheck[]
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'unlearning',
  about: 'applies a method to the original',
  work: ({ steps, trainable, replay, sisa, samplesUsed }) =>
    [
      `${counted(steps, 'step')}${replay ? ` of the training's ${replay.of}` : ''}`,
      ...(sisa ? [`${counted(sisa.shards, 'shard')} trained again`] : []),
      ...(trainable === undefined ? [] : [counted(trainable, 'trainable parameter')]),
      ...(samplesUsed ? [counted(samplesUsed.forget + samplesUsed.retained, 'sample')] : []),
    ].join(', '),
})

/** The part of a training that was repeated. */
export interface ReplayedSteps {
  /** The number of steps before the state from which the training continued. */
  readonly from: number
  /** The number of steps of the whole training. */
  readonly of: number
  /** The sum of the sizes of the repeated batches. */
  readonly samples: number
}

/** The part of the training of several models that was repeated. */
export interface RepeatedShards {
  /** The number of shards with a sample to forget. */
  readonly shards: number
  /** The number of trainings that were repeated, of which each shard has one for each slice. */
  readonly trainings: number
  /** The sum of the sizes of the repeated batches. */
  readonly samples: number
  /** The sum of the sizes of all batches. */
  readonly of: number
}

/**
 * The mean squared residual per feature, relative to the mean square of the frozen feature and
 * averaged over the aligned layers.
 */
export interface ResidualPoint {
  readonly step: number
  /** ‖r‖² on retained samples. Stays near 0. */
  readonly retained: number
  /** ‖f + r − t‖² on forget samples. Falls towards 0. */
  readonly forget: number
}

/**
 * Norms of the residual r_l at each aligned layer after some of the steps: the root mean square of
 * ‖r_l‖ over a batch, relative to that of ‖f_l‖ over D_r.
 */
export interface ResidualNorms {
  /** The aligned layers, from the first to the last. */
  readonly layers: readonly string[]
  readonly points: readonly NormPoint[]
}

/** Norms after a step, one for each layer. */
export interface NormPoint {
  /** Optimizer steps done. Before the first one, this is 0. */
  readonly step: number
  readonly retained: readonly number[]
  readonly forget: readonly number[]
}

/** Accuracies in percent at a step, which a stopping rule compares. */
export interface StoppingCheck {
  readonly step: number
  /** The accuracy on the forget set. */
  readonly forget: number
  /**
   * The accuracy that the model would have on the forget set if it had seen none of its samples.
   */
  readonly unseen: number
}
