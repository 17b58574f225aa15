import type { Measured } from '../records/measured.ts'
import { defineStage } from './definition.ts'

/**
 * Measures how far one model is from the gold model and from the untrained twin, by logits and
 * attacks.
 */
export const compare = defineStage<{
  readonly params: Record<never, never>
  readonly inputs: {
    readonly evaluation: 'evaluate'
    readonly attack: 'attack'
    /** Both are absent in an experiment without gold. */
    readonly goldEvaluation?: 'evaluate'
    readonly goldAttack?: 'attack'
    /** Absent if an external program trains the models. */
    readonly twinEvaluation?: 'evaluate'
    /** Present if there are validation samples. */
    readonly originalEvaluation?: 'evaluate'
  }
  readonly metrics: {
    /** RA, TA, UA = 100 − FA and MIA-efficacy (confidence, svm), in percent. */
    readonly ra: Measured
    readonly ta: Measured
    readonly ua: Measured
    readonly mia: Measured
    /** The mean absolute difference of the four to gold, in points. */
    readonly averageGap: Measured
    /** Tug of war, in [0, 1]. Gold has 1. */
    readonly tow: Measured
    /** Mean ‖softmax θ_u(x) − softmax θ_g(x)‖₂. */
    readonly activationDistance: Readonly<Record<'forget' | 'retained', Measured>>
    /** The mean Jensen-Shannon divergence to gold on D_f, in bits. */
    readonly jsDivergence: Measured
    /** 1 − the mean Jensen-Shannon divergence to the untrained twin on D_f, in bits. */
    readonly zrf: Measured
    /** In points. Missing if no samples are set apart for validation. */
    readonly validationGap: Measured
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'comparison',
  about: 'distances of a model to gold',
})
