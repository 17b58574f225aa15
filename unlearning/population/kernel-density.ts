import type { Gaussian } from './gaussian.ts'
import { gaussians, NO_VARIANCE, unattackable, type Variance } from './lira.ts'
import { inAndOut, tooFewModels, type Pool, type Scores } from './pool.ts'

/** A kernel density estimate of one sample's φ under models of one kind, in nats. */
export interface KernelDensity {
  /** φ under each model; at least one. */
  readonly centres: Float64Array
  readonly bandwidth: number
}

/**
 * The mean of N(φ; φ_m, h²) over the models m, with Scott's bandwidth h = σ n^(−1/5) (Scott 1992).
 * σ is the deviation of a Gaussian for the same values, which may be pooled over samples.
 */
export function kernelDensity(values: Float64Array, { deviation }: Gaussian): KernelDensity {
  return { centres: values, bandwidth: deviation * values.length ** -0.2 }
}

/**
 * The logarithm of the density at φ in nats, without the constant −½ log 2π. It is finite for
 * any finite φ.
 */
export function logKernelDensity(phi: number, { centres, bandwidth }: KernelDensity): number {
  const exponents = centres.map((centre) => -(((phi - centre) / bandwidth) ** 2) / 2)
  const greatest = exponents.reduce((most, value) => Math.max(most, value), -Infinity)
  const sum = exponents.reduce((total, value) => total + Math.exp(value - greatest), 0)
  return greatest + Math.log(sum / centres.length) - Math.log(bandwidth)
}

/**
 * LiRA, online, with kernel densities in place of Gaussians, as RULI uses them (Naderloui et al.
 * 2025). For each sample the logarithm of the ratio of the two densities at its φ under the
 * attacked model, `target` [samples]. Scores are in nats; above 0 indicates a member.
 *
 * The published code has a bandwidth of 1 nat for every sample. Scott's follows the deviation of
 * the sample's φ, which differs between models and data sets. The deviations are those of `lira`,
 * pooled over the samples if there are few models.
 */
export function liraKernel(target: Float64Array, shadow: Pool, variance?: Variance): Scores {
  const missing = unattackable(target, shadow) ?? tooFewModels(shadow, { inside: 1, outside: 1 })
  if (missing !== undefined) return { missing }
  const fitted = {
    inside: gaussians(shadow, 'inside', variance),
    outside: gaussians(shadow, 'outside', variance),
  }
  const { inside, outside } = fitted
  if (inside === undefined || outside === undefined) return { missing: NO_VARIANCE }
  const density = (phi: number, values: Float64Array, of: Gaussian | undefined) =>
    of ? logKernelDensity(phi, kernelDensity(values, of)) : NaN
  return {
    scores: target.map((phi, i) => {
      const values = inAndOut(shadow, i)
      return density(phi, values.inside, inside[i]) - density(phi, values.outside, outside[i])
    }),
  }
}
