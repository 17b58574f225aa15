import type { Measured } from '../../experiment/records/measured.ts'
import { unseenAccuracy } from './unseen-accuracy.ts'
import { accuracy } from './accuracy.ts'
import { correctness, unusable, type Logits } from './logits.ts'
import { combine } from './measured.ts'

type Sets = Readonly<Record<'retained' | 'validation', Logits>>

/**
 * A criterion for choosing options without gold and without test samples: the mean of three
 * absolute differences, in percentage points,
 *
 *     of FA to the expected accuracy on unseen samples of these classes (unseen-accuracy.ts),
 *     of RA to the original's, and of the accuracy on the validation set to the original's.
 *
 * It does not measure how close single samples are to gold's. Missing if no validation samples
 * exist.
 */
export function validationGap(unlearned: Sets & { readonly forget: Logits }, original: Sets): Measured {
  const { forget, validation } = unlearned
  const missing = unusable(validation)
  if (missing !== undefined) return { missing: `validation: ${missing}` }
  const unseen = unseenAccuracy(forget.labels, {
    labels: validation.labels,
    correct: correctness(validation),
  })
  return combine(
    {
      FA: accuracy(forget),
      RA: accuracy(unlearned.retained),
      VA: accuracy(validation),
      "the original's RA": accuracy(original.retained),
      "the original's VA": accuracy(original.validation),
    },
    (of) =>
      (Math.abs(of.FA - unseen) +
        Math.abs(of.RA - of["the original's RA"]) +
        Math.abs(of.VA - of["the original's VA"])) /
      3,
  )
}
