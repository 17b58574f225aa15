import { fitGaussian, gaussian, logDensity, type Gaussian } from './gaussian.ts'
import { moments } from './moments.ts'
import { inAndOut, tooFewModels, unusable, type Pool, type Scores } from './pool.ts'

/** `pooled`: one variance for all samples' in models, and one for their out models. */
export type Variance = 'per-sample' | 'pooled'

/** With fewer models of a kind, the pooled variance is the better one (Carlini et al. 2022 find so below 64 shadow models). */
const ENOUGH_MODELS = 32

/** What is estimated unless told, where every sample has this many models of a kind at least. */
export function varianceFor(models: number): Variance {
  return models < ENOUGH_MODELS ? 'pooled' : 'per-sample'
}

/**
 * LiRA, online (Carlini et al. 2022, algorithm 1): per sample, the logarithm of the likelihood ratio
 *
 *     Λ = N(φ; μ_in, σ_in²) / N(φ; μ_out, σ_out²)
 *
 * of its φ under the attacked model, `target` [samples], with Gaussians fitted to its φ under the shadow models that trained
 * on it (in) and under those that did not (out). In nats; above 0 speaks for a member. The attacked model must not be
 * one of the pool's.
 *
 * Variances are unbiased. A pooled one is the mean square around each sample's own mean; the published code takes all φ
 * together, which adds to it how samples differ from each other. Unless told, each kind's is pooled where a sample has
 * fewer than 32 models of it.
 */
export function lira(target: Float64Array, shadow: Pool, variance?: Variance): Scores {
  const missing = unattackable(target, shadow) ?? tooFewModels(shadow, { inside: 1, outside: 1 })
  if (missing !== undefined) return { missing }
  const inside = gaussians(shadow, 'inside', variance)
  const outside = gaussians(shadow, 'outside', variance)
  if (inside === undefined || outside === undefined) return { missing: NO_VARIANCE }
  const density = (phi: number, fitted: Gaussian | undefined) => (fitted ? logDensity(phi, fitted) : NaN)
  return { scores: target.map((phi, i) => density(phi, inside[i]) - density(phi, outside[i])) }
}

/**
 * LiRA, offline (Carlini et al. 2022): per sample (φ − μ_out)/σ_out, [samples], from the shadow models that did
 * not train on it alone. One-sided: the greater, the likelier a member. The paper's score, Pr[Z ≤ φ] of that Gaussian,
 * orders samples in the same way, but rounds to 1 for the most exposed ones and so ties them.
 */
export function liraOffline(target: Float64Array, shadow: Pool, variance?: Variance): Scores {
  const missing = unattackable(target, shadow) ?? tooFewModels(shadow, { inside: 0, outside: 1 })
  if (missing !== undefined) return { missing }
  const outside = gaussians(shadow, 'outside', variance)
  if (outside === undefined) return { missing: NO_VARIANCE }
  return {
    scores: target.map((phi, i) => {
      const fitted = outside[i]
      return fitted ? (phi - fitted.mean) / fitted.deviation : NaN
    }),
  }
}

const NO_VARIANCE = 'too few models of a kind to estimate a variance: two are needed'

/** Why an attacked model cannot be judged by these shadow models; undefined where it can. */
export function unattackable(target: Float64Array, shadow: Pool): string | undefined {
  if (target.length !== shadow.samples)
    throw new RangeError(
      `the attacked model has ${target.length} samples, its shadow models ${shadow.samples}`,
    )
  const missing = unusable(shadow)
  if (missing !== undefined) return `shadow models: ${missing}`
  return target.every(Number.isFinite) ? undefined : 'a margin of the attacked model is not finite'
}

/** One a sample; undefined where there are too few models for a variance. */
function gaussians(
  shadow: Pool,
  kind: 'inside' | 'outside',
  variance: Variance | undefined,
): Gaussian[] | undefined {
  const groups = Array.from({ length: shadow.samples }, (_, sample) => inAndOut(shadow, sample)[kind])
  const fewest = groups.reduce((least, group) => Math.min(least, group.length), Infinity)
  if ((variance ?? varianceFor(fewest)) === 'per-sample')
    return fewest < 2 ? undefined : groups.map(fitGaussian)

  let squares = 0
  let freedom = 0
  for (const group of groups) {
    if (group.length < 2) continue
    squares += moments(group).variance * (group.length - 1)
    freedom += group.length - 1
  }
  if (freedom === 0) return undefined
  return groups.map((group) => gaussian(moments(group).mean, squares / freedom))
}
