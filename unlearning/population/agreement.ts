import type { Agreement } from '../../experiment/stages/agreement.ts'
import { moments } from './moments.ts'
import { countAtMost, countBelow } from './sorted.ts'

/**
 * Compares the margins φ of a model with those of gold on the same samples, both [samples] and in
 * nats. `rank` is Spearman's correlation with midranks: it shows whether the same samples are easy
 * and hard. `variance` is the ratio of the variances over the samples: it shows whether the
 * margins are as spread out as gold's.
 *
 * Throws a RangeError if the numbers of samples differ.
 */
export function agreement(own: Float64Array, gold: Float64Array): Agreement {
  if (own.length !== gold.length)
    throw new RangeError(`the model has the margins of ${own.length} samples, gold of ${gold.length}`)
  const samples = own.length
  const missing = tooFew(samples) ?? notFinite(own, '') ?? notFinite(gold, 'gold: ')
  if (missing !== undefined) return { samples, rank: { missing }, variance: { missing } }
  const [spread, goldSpread] = [moments(own).variance, moments(gold).variance]
  const constant = 'all margins are equal'
  return {
    samples,
    rank:
      spread > 0 && goldSpread > 0
        ? { value: correlation(ranks(own), ranks(gold)) }
        : { missing: spread > 0 ? `gold: ${constant}` : constant },
    variance: goldSpread > 0 ? { value: spread / goldSpread } : { missing: `gold: ${constant}` },
  }
}

function tooFew(samples: number): string | undefined {
  if (samples === 0) return 'the set is empty'
  return samples < 2 ? 'one sample has no variance' : undefined
}

function notFinite(margins: Float64Array, whose: string): string | undefined {
  return margins.every(Number.isFinite) ? undefined : `${whose}a margin is not finite`
}

/** The rank of each value, from 1. Equal values share the mean of their ranks. */
function ranks(values: Float64Array): Float64Array {
  const sorted = values.toSorted()
  return values.map((value) => (countBelow(sorted, value) + countAtMost(sorted, value) + 1) / 2)
}

/** Pearson's correlation, in [−1, 1]. */
function correlation(a: Float64Array, b: Float64Array): number {
  const [ofA, ofB] = [moments(a), moments(b)]
  const covariance =
    a.reduce((sum, value, i) => sum + (value - ofA.mean) * ((b[i] ?? NaN) - ofB.mean), 0) / (a.length - 1)
  // Rounding may exceed the bounds.
  return Math.min(1, Math.max(-1, covariance / Math.sqrt(ofA.variance * ofB.variance)))
}
