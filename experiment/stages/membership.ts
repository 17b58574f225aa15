import type { Estimate, ShadowAttack, ShadowedSet, ShadowFigure } from '../records/measured.ts'
import { defineStage } from './definition.ts'

/** Attacks one model by LiRA and RMIA, from its logits and the pool of shadow models. */
export const membership = defineStage<{
  /** The seed draws samples of the retained set. */
  readonly params: { readonly seed: number }
  readonly inputs: {
    readonly split: 'split'
    readonly evaluation: 'evaluate'
    readonly pool: 'pool'
  }
  readonly metrics: {
    readonly models: number
    /**
     * How LiRA estimates variances: one for each sample, or one for all if the models are too few
     * for that.
     */
    readonly variance: 'per-sample' | 'pooled'
    readonly sets: Readonly<Record<ShadowedSet, ShadowAttacked>>
  }
}>({ queue: 'zeroshift', onDevice: false, group: 'attacks' })

/** The attacks on one set. */
export interface ShadowAttacked {
  /** Samples of the set, and test samples that only shadow models trained on. */
  readonly members: number
  readonly nonMembers: number
  /** In [0, 1]. An AUC of 0.5 is chance. */
  readonly attacks: Readonly<Record<ShadowAttack, Readonly<Record<ShadowFigure, Estimate>>>>
}
