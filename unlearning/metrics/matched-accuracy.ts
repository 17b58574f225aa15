import type { MatchedAccuracy } from '../../experiment/stages/evaluate.ts'
import { correctness, unusable, type Logits } from './logits.ts'

/**
 * The accuracy that a model has on test samples in the class shares of the forget set, in percent:
 *
 *     Σ_c w_c · (accuracy on the test samples of class c),  w_c the share of class c in D_f
 *
 * `samples` is the number of samples whose mean would have the same variance if all classes were
 * equally difficult: 1 / Σ_c (w_c² / n_c), with n_c the number of test samples of class c.
 */
export function matchedAccuracy(forgetLabels: Int32Array, test: Logits): MatchedAccuracy {
  const missing = unusable(test)
  if (missing !== undefined) return { accuracy: { missing }, samples: 0 }
  const right = new Float64Array(test.classes)
  const counts = new Float64Array(test.classes)
  correctness(test).forEach((one, i) => {
    const label = test.labels[i] ?? -1
    right[label] = (right[label] ?? 0) + one
    counts[label] = (counts[label] ?? 0) + 1
  })
  const shares = new Float64Array(test.classes)
  for (const label of forgetLabels) shares[label] = (shares[label] ?? 0) + 1 / forgetLabels.length
  const without = shares.findIndex((share, label) => share > 0 && counts[label] === 0)
  if (without >= 0 || forgetLabels.length === 0)
    return {
      accuracy: { missing: `no test sample is of class ${without}, which is in the forget set` },
      samples: 0,
    }
  let accuracy = 0
  let spread = 0
  shares.forEach((share, label) => {
    const count = counts[label] ?? 0
    if (share === 0) return
    accuracy += (share * (right[label] ?? 0)) / count
    spread += share ** 2 / count
  })
  return { accuracy: { value: 100 * accuracy }, samples: 1 / spread }
}
