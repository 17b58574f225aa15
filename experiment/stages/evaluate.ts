import type { EvaluatedSet, Measured } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import { defineStage } from './definition.ts'

/**
 * Computes the logits of one model on every set. Without a split it computes them on all training
 * samples.
 */
export const evaluate = defineStage<{
  readonly params: { readonly model: ModelSpec; readonly batchSize: number }
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
  }
}>({ queue: 'zeroshift-train', onDevice: true, group: 'evaluation' })
