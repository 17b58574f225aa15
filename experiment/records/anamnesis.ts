import type { Measured } from './manifest.ts'

/**
 * The anamnesis index: steps in which an unlearned model learns D_f again over those that gold needs (Chundawat et al. 2023,
 * "Zero-shot machine unlearning"). 1 is gold; less says that D_f is still remembered, more that forgetting itself shows.
 */
export function anamnesisIndex(steps: Measured, goldSteps: Measured): Measured {
  if ('missing' in goldSteps) return { missing: `gold: ${goldSteps.missing}` }
  if (goldSteps.value === 0)
    return { missing: 'gold needs 0 steps: it knows the forget set nearly as well as the original does' }
  return 'missing' in steps ? steps : { value: steps.value / goldSteps.value }
}
