import type { Measured } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { ProbeSpec } from '../spec/judgement.ts'
import { defineStage } from './definition.ts'

/**
 * Trains linear probes on one model's features, and compares the features with the gold model's.
 */
export const probe = defineStage<{
  readonly params: {
    readonly probe: ProbeSpec
    readonly model: ModelSpec
    /** Draws the samples. */
    readonly seed: number
  }
  readonly inputs: {
    readonly dataset: 'dataset'
    readonly split: 'split'
    readonly model: 'train' | 'unlearn'
    readonly goldModel: 'train'
  }
  readonly metrics: {
    /**
     * Numbers of samples: those that train the probes, those that test them, and those that CKA
     * compares.
     */
    readonly trained: number
    readonly tested: number
    readonly compared: Readonly<Record<'forget' | 'retained', number>>
    /** In forward order. */
    readonly layers: readonly ProbedLayer[]
  }
}>({ queue: 'zeroshift-train', onDevice: true, group: 'probes' })

/** The figures of one layer's features. */
export interface ProbedLayer {
  readonly name: string
  /** The number of features. A convolution has one per channel. */
  readonly features: number
  /** Percent of forget samples whose class a linear probe recognises. */
  readonly accuracy: Measured
  /** Linear CKA to gold's features, in [0, 1]. */
  readonly cka: Readonly<Record<'forget' | 'retained', Measured>>
}
