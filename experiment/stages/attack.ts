import type { ClassifierName, ScoreName } from '../records/scores.ts'
import type { Measured } from '../records/measured.ts'
import { defineStage } from './definition.ts'

/** Attacks one model by membership inference, from its logits. */
export const attack = defineStage<{
  readonly params: {
    /** At most so many members, and as many non-members, train an attack. */
    readonly samples: number
    readonly seed: number
  }
  readonly inputs: { readonly split: 'split'; readonly evaluation: 'evaluate' }
  readonly metrics: {
    /** Percent of the forget set that the attack calls non-members, by classifier and score. */
    readonly efficacy: ByAttack
    /**
     * The attack's own balanced accuracy in percent, on members and non-members that did not train
     * it, by classifier and score.
     */
    readonly accuracy: ByAttack
    readonly members: number
    readonly nonMembers: number
  }
}>({ queue: 'zeroshift', onDevice: false, group: 'attacks' })

type ByAttack = Readonly<Record<ClassifierName, Readonly<Record<ScoreName, Measured>>>>
