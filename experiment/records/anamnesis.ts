import type { Measured } from './measured.ts'

/**
 * The anamnesis index: the steps that an unlearned model needs to learn D_f again, divided by the
 * steps that gold needs (Chundawat et al. 2023, "Zero-shot machine unlearning"). 1 equals gold. A
 * smaller index shows that D_f is still remembered, a larger one that the unlearning itself can be
 * detected.
 */
export function anamnesisIndex(steps: Measured, goldSteps: Measured): Measured {
  if ('missing' in goldSteps) return { missing: `gold: ${goldSteps.missing}` }
  if (goldSteps.value === 0)
    return { missing: 'gold needs 0 steps: it knows the forget set nearly as well as the original does' }
  return 'missing' in steps ? steps : { value: steps.value / goldSteps.value }
}
