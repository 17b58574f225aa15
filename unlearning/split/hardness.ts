import { MathError } from '../../common/errors.ts'
import type { Hardness } from '../../experiment/spec/split.ts'
import { correctness, unusable, type Logits } from '../metrics/logits.ts'
import { margins } from '../population/margin.ts'

/**
 * Positions of the samples in the order in which a `hard` split takes them. The first of equal
 * samples comes first. `logits` are those of the original model for its training samples. φ =
 * log(p_y / (1 − p_y)) decreases strictly with the loss, and also orders samples whose loss rounds
 * to 0:
 *
 *     highest-loss      by φ, ascending
 *     lowest-loss       by φ, descending
 *     most-memorised    by φ, ascending, of the samples that the original classifies correctly
 *
 * A sample is memorised if models classify it correctly with x in the training set and wrongly
 * without it: mem(x) = P_{D∋x}(y | x) − P_{D∌x}(y | x) (Feldman 2020). The second term needs models
 * that never saw x. There are none before the split, on which gold itself depends. `most-memorised`
 * is therefore a proxy that only needs the original. For a sample that the original gets wrong, the
 * first term is 0. Among the others, samples that any model would get right have a wide margin, and
 * the narrower the margin, the smaller the second term. Zhao and Triantafillou (2024, arXiv
 * 2410.16516) compare such proxies. Theirs by confidence follow it during the whole training; this
 * one only uses its end.
 *
 * Throws a MathError if the logits are not finite or there are none.
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
