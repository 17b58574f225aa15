import { STANDARD } from '../records/described-figures.ts'
import { evaluatedSets, type EvaluatedSet, type Measured } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import type { ModelSpec } from '../spec/model.ts'
import { defineStage } from './definition.ts'

/**
 * Computes the logits of one model on every set. Without a split it computes them on all training
 * samples.
 */
export const evaluate = defineStage<{
  readonly params:
    | { readonly model: ModelSpec; readonly batchSize: number; readonly matched?: true }
    /** The model has the logits of every sample in place of weights. */
    | { readonly program: 'logits'; readonly matched?: true }
  readonly inputs: {
    readonly dataset: 'dataset'
    /** Absent in the evaluation by which a hard split ranks training samples. */
    readonly split?: 'split'
    readonly model: 'train' | 'unlearn'
  }
  readonly metrics: {
    /** In percent, by set. */
    readonly accuracy: Readonly<Record<EvaluatedSet, Measured>>
    /** Numbers of samples by confidence in the true class, in 20 equal bins from 0 to 1. */
    readonly confidence: Readonly<Record<'retained' | 'forget' | 'test', readonly number[]>>
    /** Present if `matched` is in the parameters. */
    readonly matched?: MatchedAccuracy
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'evaluation',
  about: "computes a model's logits on every set",
  figures: {
    heading: 'Accuracies',
    introduction: 'Every model has its accuracy on every set of samples.',
    list: evaluatedSets.map((set) => ({
      name: `accuracy.${set}`,
      unit: '%',
      about: `accuracy on ${setNames[set]}`,
      formula: '100 · mean over the set of [argmax_k z_k(x) = y(x)]',
      source: STANDARD,
    })),
  },
})

/** The accuracy on test samples in the class shares of the forget set. */
export interface MatchedAccuracy {
  /** In percent. */
  readonly accuracy: Measured
  /** The number of samples whose mean has the same variance. */
  readonly samples: number
}
