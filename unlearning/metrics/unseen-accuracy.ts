/**
 * The accuracy expected on D_f, in percent, if the model had never seen a sample of it. It is the
 * accuracy on validation samples of the same classes, and 0 for a class without any:
 *
 *     Σ_c (share of class c in D_f) · (accuracy on the validation samples of class c)
 *
 * Labels are [n_f] and [n_v]. `correct` [n_v] is 1 where the model is correct. Neither gold nor
 * test samples are used.
 */
export function unseenAccuracy(
  forgetLabels: Int32Array,
  validation: { readonly labels: Int32Array; readonly correct: ArrayLike<number> },
): number {
  const seen = new Map<number, { samples: number; right: number }>()
  validation.labels.forEach((label, i) => {
    const of = seen.get(label) ?? { samples: 0, right: 0 }
    seen.set(label, { samples: of.samples + 1, right: of.right + (validation.correct[i] ?? NaN) })
  })
  const expected = forgetLabels.reduce((sum, label) => {
    const of = seen.get(label)
    return sum + (of ? of.right / of.samples : 0)
  }, 0)
  return (100 * expected) / forgetLabels.length
}
