import { fitGaussian, gaussian, logDensity, type Gaussian } from './gaussian.ts'
import { moments } from './moments.ts'
import { inAndOut, tooFewModels, unusable, type Pool, type Scores } from './pool.ts'

/** pooled: one variance of all samples for their in models, and one for their out models. */
export type Variance = 'per-sample' | 'pooled'

/**
 * The number of models of a kind from which each sample has its own variance. With fewer, a pooled
 * variance is better (Carlini et al. 2022 find this below 64 shadow models).
 */
const ENOUGH_MODELS = 32

/** The default variance, if every sample has at least this many models of a kind. */
export function varianceFor(models: number): Variance {
  return models < ENOUGH_MODELS ? 'pooled' : 'per-sample'
}

/**
 * LiRA, online (Carlini et al. 2022, algorithm 1). For each sample, the logarithm of the likelihood
 * ratio
 *
 *     Λ = N(φ; μ_in, σ_in²) / N(φ; μ_out, σ_out²)
 *
 * of its φ under the attacked model, `target` [samples]. The Gaussians are fitted to its φ under
 * the shadow models that trained on it (in) and under those that did not (out). Scores are in nats;
 * above 0 indicates a member. The attacked model must not be in the pool.
 *
 * Variances are unbiased. A pooled variance is the mean square around each sample's own mean. The
 * published code pools all φ, which adds the differences between samples. By default the variance
 * of a kind is pooled if a sample has fewer than 32 models of it.
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
 * LiRA, offline (Carlini et al. 2022). For each sample (φ − μ_out)/σ_out, [samples], from only the
 * shadow models that did not train on it. One-sided: the greater, the more likely a member. The
 * paper's score, Pr[Z ≤ φ] of that Gaussian, has the same order but rounds to 1 for the most
 * exposed samples, which makes ties.
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

export const NO_VARIANCE = 'too few models of a kind to estimate a variance: two are needed'

/**
 * The reason why these shadow models cannot attack a model; undefined if there is none. Throws a
 * RangeError if their samples differ.
 */
export function unattackable(target: Float64Array, shadow: Pool): string | undefined {
  if (target.length !== shadow.samples)
    throw new RangeError(
      `the attacked model has ${target.length} samples, its shadow models ${shadow.samples}`,
    )
  const missing = unusable(shadow)
  if (missing !== undefined) return `shadow models: ${missing}`
  return target.every(Number.isFinite) ? undefined : 'a margin of the attacked model is not finite'
}

/** One Gaussian per sample; undefined if there are too few models for a variance. */
export function gaussians(
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
