import { MathError } from '../../common/errors.ts'
import type { Hardness } from '../../experiment/spec/spec.ts'
import { correctness, unusable, type Logits } from '../metrics/logits.ts'
import { margins } from '../population/margin.ts'

/**
 * Positions of the samples in the order in which a `hard` split takes them; of equals, the first comes first. `logits` are
 * the original model's on its training samples. With φ = log(p_y / (1 − p_y)), in which the loss falls strictly and which
 * tells apart samples whose loss rounds to 0:
 *
 *     highest-loss      by φ, ascending
 *     lowest-loss       by φ, descending
 *     most-memorised    by φ, ascending, of the samples alone that the original gets right
 *
 * What is memorised is right with x in the training set and wrong without it: mem(x) = P_{D∋x}(y | x) − P_{D∌x}(y | x) (Feldman
 * 2020). The second term takes models that never saw x, and before the split there are none: gold itself depends on it. So
 * `most-memorised` is a proxy that needs the original alone. A sample that it gets wrong has a first term of 0: nothing of it
 * was learnt by heart. Of the others, those that any model would get right are right by a wide margin, and the narrower
 * the margin, the less is left for the second term. Zhao and Triantafillou (2024, arXiv 2410.16516) compare proxies; those by
 * confidence follow it over the whole training, of which this one sees the end.
 */
export function byHardness(logits: Logits, by: Hardness): Int32Array {
  const reason = unusable(logits)
  if (reason !== undefined)
    throw new MathError(`training samples cannot be ranked by what the original makes of them: ${reason}`)
  const phi = margins(logits)
  const right = by === 'most-memorised' ? correctness(logits) : undefined
  const sign = by === 'lowest-loss' ? -1 : 1
  return Int32Array.from(phi.keys())
    .filter((i) => right?.[i] !== 0)
    .sort((i, j) => sign * ((phi[i] ?? NaN) - (phi[j] ?? NaN)) || i - j)
}
