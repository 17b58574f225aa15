import type { SplitSpec } from '../spec/split.ts'
import { defineStage } from './definition.ts'

/**
 * Divides the training set into the forget set and the retained set, and the test set into halves.
 */
export const split = defineStage<{
  readonly params: { readonly split: SplitSpec; readonly seed: number }
  readonly inputs: {
    readonly dataset: 'dataset'
    /**
     * The original's outputs on all training samples. Present if the split ranks samples by them.
     */
    readonly ranking?: 'evaluate'
    /**
     * The split of the comparison. Present for a split of the tuning, which forgets none of its
     * forgotten samples.
     */
    readonly comparison?: 'split'
  }
  readonly metrics: {
    readonly retained: number
    readonly forget: number
    readonly validation: number
    /**
     * Test samples that train attacks and test samples that are scored: two halves of the test set
     * without the forgotten classes.
     */
    readonly attackTest: number
    readonly test: number
    /** Test samples of forgotten classes. 0 unless whole classes are forgotten. */
    readonly forgottenTest: number
    /** Indices of the classes that are forgotten as a whole. */
    readonly forgottenClasses: readonly number[]
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'data',
  about: 'divides the training set into forget and retained set',
})
