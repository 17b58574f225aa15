import type { Estimate, Measured } from '../records/measured.ts'
import { defineStage } from './definition.ts'

/** Compares one method's models of all seeds with as many gold models, by their logits. */
export const population = defineStage<{
  readonly params: Record<never, never>
  /** The evaluations of each seed's models. Seeds count from 1. */
  readonly inputs: Readonly<Record<`unlearned${number}` | `gold${number}`, 'evaluate'>>
  readonly metrics: {
    /** The number of models of each kind. */
    readonly models: number
    /**
     * U-LiRA: the accuracy in percent of telling unlearned models from gold by a sample of D_f. 50
     * is ideal.
     */
    readonly uLira: Estimate
    /** The accuracy for the models of each seed. Absent if `uLira` is missing. */
    readonly uLiraBySeed?: readonly number[]
    /**
     * KLoM: the KL divergence of margins to gold, in nats. Mean and 95th percentile over the
     * samples.
     */
    readonly klom: Readonly<
      Record<'forget' | 'retained' | 'test', { readonly mean: Measured; readonly percentile95: Measured }>
    >
    /** F of the NeurIPS 2023 challenge in [0, 1], and F times the ratios of RA and TA to gold's. */
    readonly forgettingQuality: { readonly forgetting: Measured; readonly score: Measured }
  }
}>({ queue: 'zeroshift', onDevice: false, group: 'comparison' })
