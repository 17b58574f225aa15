import type { Measured } from '../records/measured.ts'
import type { OptimizerSpec } from '../spec/optimizer.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { RelearnSpec } from '../spec/judgement.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineStage } from './definition.ts'

/**
 * Fine-tunes one model on the forget set alone, until its accuracy there is within 5 points of the
 * original's.
 */
export const relearn = defineStage<{
  readonly params: {
    readonly relearn: RelearnSpec & { readonly optimizer: OptimizerSpec }
    readonly model: ModelSpec
    /** The augmentation of the training. */
    readonly augment: TrainingSpec['augment']
    readonly seed: number
  }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly model: 'train' | 'unlearn'
    readonly originalEvaluation: 'evaluate'
  }
  readonly metrics: {
    /** Steps until the accuracy is `wanted`. */
    readonly steps: Measured
    /** In percent: 5 points below the original's accuracy. Absent if that is missing. */
    readonly wanted?: number
    /** The number of forget samples on which the accuracy was computed. */
    readonly samples: number
    readonly curve: readonly RelearnPoint[]
  }
}>({ queue: 'zeroshift-train', onDevice: true, group: 'relearning' })

/** The accuracy in percent on the forget set after a number of steps. */
export interface RelearnPoint {
  readonly step: number
  readonly accuracy: number
}
