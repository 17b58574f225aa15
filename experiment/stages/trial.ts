import { counted } from '../../common/counted.ts'
import type { Measured } from '../records/measured.ts'
import type { ApproximateMethodSpec } from '../spec/methods.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { OWN } from '../records/described-figures.ts'
import { defineStage } from './definition.ts'

/**
 * Tries one variant of a method on one tuning seed, and measures its validation gap. It evaluates
 * the model on no test sample and does not keep it.
 */
export const trial = defineStage<{
  readonly params: {
    /** The options of the variant. A later round takes those at its place of the ranking. */
    readonly method: ApproximateMethodSpec
    /** From 0. Present in later rounds. */
    readonly place?: number
    readonly model: ModelSpec
    readonly training: TrainingSpec
    readonly seed: number
    /** Samples that are evaluated at a time. */
    readonly batchSize: number
  }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly original: 'train'
    readonly originalEvaluation: 'evaluate'
    /** The ranking of the round before. Absent in the first round. */
    readonly tuned?: 'tune'
  }
  readonly metrics: {
    /** In points. Missing with the reason if the method failed mathematically. */
    readonly gap: Measured
    /** In percent. Absent if the method failed. */
    readonly accuracy?: Readonly<Record<'retained' | 'forget' | 'validation', Measured>>
    /** The optimizer steps of the method. Absent if it failed. */
    readonly steps?: number
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'tuning',
  about: 'tries one variant of a method on a tuning seed, on request',
  work: ({ steps }) => (steps === undefined ? 'failed' : counted(steps, 'step')),
  figures: {
    heading: 'Tuning',
    introduction:
      'With a section `tune`, every variant of a method that is tried has this figure for each tuning seed.',
    list: [
      {
        name: 'gap',
        unit: 'points',
        about: 'validation gap of the variant on the tuning seed and the split of this seed',
        formula: '(|FA − FA_unseen| + |RA − RA_o| + |VA − VA_o|) / 3',
        source: OWN,
      },
    ],
  },
})
