import { studentQuantile, wilsonInterval, type Interval } from '../../common/interval.ts'
import type { YieldControl } from '../yield-control.ts'
import { fitGaussiansWithoutOne, logDensity, type Gaussian } from './gaussian.ts'
import { moments } from './moments.ts'
import { IN, OUT, tooFewModels, unusable, type Pool } from './pool.ts'

/** Models of each kind: two to fit a Gaussian, and the one that is classified. */
const LEAST_MODELS = 3

/** Accuracies in percent. */
export type ULira =
  | {
      readonly value: number
      readonly interval: Interval
      /** The accuracy of each in and each out model over all samples, in the order of the pool. */
      readonly inside: readonly number[]
      readonly outside: readonly number[]
    }
  | { readonly missing: string }

/** Pairs of models between two yields. One takes about 100 ns. */
const YIELD_EVERY = 1_000_000

/** A variance of accuracies in [0, 1] below this is rounding. */
const ROUNDING = 1e-24

/**
 * U-LiRA (Hayes et al. 2024): the accuracy in percent of an attack that distinguishes, for each
 * sample x, models that trained on x and unlearned it (in) from models that never saw it (out). 50%
 * is ideal: neither x nor its removal left a trace.
 *
 * A model is classified as in if N(φ; μ_in, σ_in²) > N(φ; μ_out, σ_out²), and counts half if both
 * are equal. The Gaussians of each sample are fitted to other models: for each pair of an in and an
 * out model, to all but these two, which are then classified. If only the classified model were
 * left out, one Gaussian would be fitted to one model fewer than the other, and identical kinds
 * would be distinguished with less than 50% (46.5% with four of each). The accuracy is balanced
 * over the kinds and averaged over samples.
 *
 * Samples share their models, so only the models are independent. The 95% interval is Welch's t
 * over the models' own accuracies with the correction of Nadeau and Bengio (2003), 1/n + 1/(n − 1)
 * instead of 1/n, since models are also fitted to. It is approximate: in simulations it contained
 * the expected accuracy in about 95% of cases, and in as few as 82% if models differ as a whole,
 * with all their φ higher or lower. If all models have the same accuracy, it is Wilson's interval
 * with one answer per model, which is the widest possible.
 */
export async function uLira(
  pool: Pool,
  yieldControl: YieldControl = () => Promise.resolve(),
): Promise<ULira> {
  const missing = unusable(pool) ?? tooFewModels(pool, { inside: LEAST_MODELS, outside: LEAST_MODELS })
  if (missing !== undefined) return { missing }

  const asIn = tally(pool.models)
  const asOut = tally(pool.models)
  let sum = 0
  let pairs = 0
  for (let sample = 0; sample < pool.samples; sample++) {
    const inside = modelsOf(pool, sample, IN)
    const outside = modelsOf(pool, sample, OUT)
    const fitsIn = fitGaussiansWithoutOne(inside.phi)
    const fitsOut = fitGaussiansWithoutOne(outside.phi)
    const rightIn = rightShares(inside.phi, fitsIn, fitsOut)
    const rightOut = rightShares(outside.phi, fitsOut, fitsIn)
    asIn.add(inside.models, rightIn)
    asOut.add(outside.models, rightOut)
    sum += (moments(rightIn).mean + moments(rightOut).mean) / 2
    pairs += rightIn.length * rightOut.length
    if (pairs > YIELD_EVERY) {
      pairs = 0
      await yieldControl()
    }
  }
  const share = sum / pool.samples
  const [inside, outside] = [asIn.accuracies(), asOut.accuracies()]
  const [low, high] = interval(share, inside, outside)
  const percent = (shares: Float64Array) => Array.from(shares, (one) => 100 * one)
  return {
    value: 100 * share,
    interval: [100 * low, 100 * high],
    inside: percent(inside),
    outside: percent(outside),
  }
}

/**
 * The models of one kind for a sample and its φ under them, ascending, so that the order of models
 * does not affect sums.
 */
function modelsOf(
  { values, members, models, samples }: Pool,
  sample: number,
  kind: number,
): { readonly models: readonly number[]; readonly phi: Float64Array } {
  const phiUnder = (m: number) => values[m * samples + sample] ?? NaN
  const found: number[] = []
  for (let m = 0; m < models; m++) if (members[m * samples + sample] === kind) found.push(m)
  found.sort((a, b) => phiUnder(a) - phiUnder(b))
  return { models: found, phi: Float64Array.from(found, phiUnder) }
}

/**
 * For each model of a kind, the share of the other kind's left-out models with which it is
 * classified correctly.
 */
function rightShares(phi: Float64Array, own: readonly Gaussian[], others: readonly Gaussian[]): Float64Array {
  return phi.map((value, i) => {
    const fitted = own[i]
    if (!fitted) return NaN
    const density = logDensity(value, fitted)
    let right = 0
    for (const other of others) {
      const rival = logDensity(value, other)
      right += density > rival ? 1 : density === rival ? 0.5 : 0
    }
    return right / others.length
  })
}

/** Accumulates each model's accuracy over the samples for which it is of one kind. */
function tally(models: number) {
  const right = new Float64Array(models)
  const counted = new Float64Array(models)
  return {
    add(of: readonly number[], shares: Float64Array) {
      of.forEach((m, i) => {
        right[m] = (right[m] ?? 0) + (shares[i] ?? NaN)
        counted[m] = (counted[m] ?? 0) + 1
      })
    },
    accuracies: () =>
      right.map((sum, m) => sum / (counted[m] ?? NaN)).filter((share) => !Number.isNaN(share)),
  }
}

function interval(share: number, asIn: Float64Array, asOut: Float64Array): Interval {
  const terms = [asIn, asOut].map((accuracies) => {
    const n = accuracies.length
    return { variance: (moments(accuracies).variance * (1 / n + 1 / (n - 1))) / 4, freedom: n - 1 }
  })
  const variance = terms.reduce((sum, term) => sum + term.variance, 0)
  if (!(variance > ROUNDING)) {
    const n = asIn.length + asOut.length
    return wilsonInterval(share * n, n)
  }
  const freedom = variance ** 2 / terms.reduce((sum, term) => sum + term.variance ** 2 / term.freedom, 0)
  const half = studentQuantile(0.975, freedom) * Math.sqrt(variance)
  return [Math.max(0, share - half), Math.min(1, share + half)]
}
