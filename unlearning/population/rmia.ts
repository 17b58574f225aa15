import { unattackable } from './lira.ts'
import { logProbabilityOf } from './margin.ts'
import { inAndOut, tooFewModels, type Pool, type Scores } from './pool.ts'
import { countAtMost } from './sorted.ts'

/** γ: the factor by which x must be more likely than z (Zarifzadeh et al. 2024). */
const GAMMA = 2

/**
 * a of the offline correction, the default of the published code. 1 means that training changes
 * nothing, 0 that it makes p = 1.
 */
const OFFLINE_A = 0.3

/** A model under attack and the shadow models, on the same samples. */
export interface Attacked {
  /** φ under the attacked model, [samples]. It must not be one of the shadow models. */
  readonly target: Float64Array
  readonly shadow: Pool
}

/**
 * RMIA (Zarifzadeh et al. 2024). For each sample x, the share of population samples z that x
 * dominates, [samples] in [0, 1]:
 *
 *     Pr_z[LR(x, z) ≥ γ]    LR(x, z) = (p(x | θ) / p(x)) / (p(z | θ) / p(z))    γ = 2
 *
 * θ is the attacked model and p(x | θ) = 1/(1 + exp(−φ)). p(x) = ½ (p_in + p_out) is its mean over
 * shadow models, where p_in and p_out are the means over the sample's models of each kind. Offline
 * there are no in models, and p_in is taken as a p_out + (1 − a). The same holds for z, on which no
 * model trained. Everything is computed in logarithms, so that no p rounds to 0.
 */
export function rmia(
  x: Attacked,
  z: Attacked,
  {
    mode = 'online',
    gamma = GAMMA,
    a = OFFLINE_A,
  }: { readonly mode?: 'online' | 'offline'; readonly gamma?: number; readonly a?: number } = {},
): Scores {
  const missing =
    unattackable(x.target, x.shadow) ??
    because('population', unattackable(z.target, z.shadow)) ??
    tooFewModels(x.shadow, { inside: mode === 'online' ? 1 : 0, outside: 1 }) ??
    because('population', tooFewModels(z.shadow, { inside: 0, outside: 1 }))
  if (missing !== undefined) return { missing }
  const population = logRatios(z, 'offline', a).sort()
  return {
    scores: logRatios(x, mode, a).map(
      (ratio) => countAtMost(population, ratio - Math.log(gamma)) / population.length,
    ),
  }
}

/** log p(x | θ) − log p(x), [samples]. */
function logRatios({ target, shadow }: Attacked, mode: 'online' | 'offline', a: number): Float64Array {
  return target.map((phi, sample) => {
    const { inside, outside } = inAndOut(shadow, sample)
    const logOut = logMeanProbability(outside)
    // Offline, p_in = 1 + a (p_out − 1).
    const logIn = mode === 'online' ? logMeanProbability(inside) : Math.log1p(a * Math.expm1(logOut))
    return logProbabilityOf(phi) - (logSum(logIn, logOut) - Math.LN2)
  })
}

/** The logarithm of the mean of p over models. */
function logMeanProbability(phi: Float64Array): number {
  return phi.map(logProbabilityOf).reduce(logSum, -Infinity) - Math.log(phi.length)
}

/** Computes log(exp a + exp b). */
function logSum(a: number, b: number): number {
  const greatest = Math.max(a, b)
  return greatest === -Infinity ? -Infinity : greatest + Math.log1p(Math.exp(Math.min(a, b) - greatest))
}

function because(set: string, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `${set}: ${reason}`
}
