import type { Measured } from '../../experiment/records/manifest.ts'
import { unseenAccuracy } from './unseen-accuracy.ts'
import { accuracy } from './accuracy.ts'
import { correctness, unusable, type Logits } from './logits.ts'
import { combine } from './measured.ts'

type Sets = Readonly<Record<'retained' | 'validation', Logits>>

/**
 * What options can be chosen by without a look at gold or at test samples: the mean of three absolute differences, in points,
 *
 *     FA to the accuracy that a model has on samples of these classes which it never saw (../unseen-accuracy.ts),
 *     RA to the original's, and accuracy on the validation set to the original's.
 *
 * It cannot tell how close single samples come to gold's. Missing where no samples are set apart for validation.
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
