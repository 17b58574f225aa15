import type { Measured } from '../../experiment/records/manifest.ts'
import type { YieldControl } from '../attacks/classifier.ts'
import { combine } from '../metrics/measured.ts'
import { column, unusable, type Margins } from './pool.ts'
import { countBelow, quantile } from './sorted.ts'

const DELTA = 1e-5
/** ε of models that an attack tells apart without an error. */
const GREATEST_EPSILON = 50
const BIN_WIDTH = 0.5
/** In nats: how far a double threshold's right end may be from the peakier models' greatest φ, and its width from their range. */
const REACH = 2
/** Where one kind of models spreads less than this share of the other's range, it is told apart, whatever the thresholds. */
const PEAKY = 0.01
/** With fewer of a kind there is no bin. */
const LEAST_MODELS = 3

/** Intervals tried, of some 10 ns each. */
const YIELD_EVERY = 20_000_000

/** RA and TA, means over the models of one kind, in percent. */
export type Utility = Readonly<Record<'ra' | 'ta', Measured>>

export interface ForgettingQuality {
  /** F, in [0, 1]: 1 where no attack tells unlearned from gold. */
  readonly forgetting: Measured
  /** F times the ratios of RA and TA to gold's: the challenge's score. */
  readonly score: Measured
}

/**
 * Forgetting quality of the NeurIPS 2023 unlearning challenge (Triantafillou et al. 2024, with the constants of its
 * published code). Per sample of D_f attacks decide from φ whether a model is unlearned or gold, and the best of them bounds ε
 * of (ε, δ)-unlearning, δ = 1e-5:
 *
 *     ε = max over attacks of max{log(1 − δ − FPR) − log FNR, log(1 − δ − FNR) − log FPR}, at least 0
 *     F = mean over samples of 2/2^n(ε)    score = F · RA_u/RA_g · TA_u/TA_g
 *
 * where n(ε) = 1, 2, … counts bins of width ½ up to ⌈log(N − 1)⌉ of N models each (14 bins for the challenge's 512), and an ε beyond
 * them adds 0. FPR = FNR = 0 is ε = ∞; a threshold where one of them is 0 is left out, as N models are too few to tell.
 *
 * Attacks: a single threshold, above which are the models with the greater median; and a double one, between whose ends are
 * the models with the smaller range, its ends near those of that range. The published code tries a grid of a hundredth of a nat; here
 * every different split of the φ at hand is tried once, which is what the grid comes to as it is made finer.
 */
export async function forgettingQuality(
  unlearned: Margins,
  gold: Margins,
  utility: { readonly unlearned: Utility; readonly gold: Utility },
  yieldControl: YieldControl = () => Promise.resolve(),
): Promise<ForgettingQuality> {
  const forgetting = await meanPoints(unlearned, gold, yieldControl)
  const ratio = (name: keyof Utility): Measured => {
    const of = utility.gold[name]
    if ('value' in of && of.value === 0) return { missing: 'that of gold is 0' }
    return combine(
      { unlearned: utility.unlearned[name], gold: of },
      (values) => values.unlearned / values.gold,
    )
  }
  return {
    forgetting,
    score: combine(
      { forgetting, RA: ratio('ra'), TA: ratio('ta') },
      ({ forgetting, RA, TA }) => forgetting * RA * TA,
    ),
  }
}

async function meanPoints(unlearned: Margins, gold: Margins, yieldControl: YieldControl): Promise<Measured> {
  if (unlearned.samples !== gold.samples)
    throw new RangeError(`unlearned models have ${unlearned.samples} samples, gold models ${gold.samples}`)
  const goldMissing = tooFew(gold)
  const missing = tooFew(unlearned) ?? (goldMissing === undefined ? undefined : `gold: ${goldMissing}`)
  if (missing !== undefined) return { missing }

  const bins = Math.ceil(Math.log(Math.min(unlearned.models, gold.models) - 1)) / BIN_WIDTH
  const perSample = (unlearned.models + gold.models) ** 2 / 2
  let sum = 0
  let undecided = 0
  let tried = 0
  for (let sample = 0; sample < gold.samples; sample++) {
    const epsilon = sampleEpsilon(column(unlearned, sample), column(gold, sample))
    if (epsilon === undefined) undecided++
    else sum += points(epsilon, bins)
    tried += perSample
    if (tried > YIELD_EVERY) {
      tried = 0
      await yieldControl()
    }
  }
  if (undecided > 0)
    return { missing: `the models' margins tie on ${undecided} samples, so that no attack has both errors` }
  return { value: sum / gold.samples }
}

function tooFew(models: Margins): string | undefined {
  return (
    unusable(models) ??
    (models.models < LEAST_MODELS
      ? `${LEAST_MODELS} models are needed, and there are ${models.models}`
      : undefined)
  )
}

/** 2/2^n of bin n = 1, 2, …; 0 beyond the last. */
export function points(epsilon: number, bins: number): number {
  const bin = Math.floor(epsilon / BIN_WIDTH) + 1
  return bin > bins ? 0 : 2 / 2 ** bin
}

/** The greatest ε of any attack on one sample's φ, [models] of each kind; undefined where every attack is left out. */
export function sampleEpsilon(unlearned: Float64Array, gold: Float64Array): number | undefined {
  const [u, g] = [unlearned.toSorted(), gold.toSorted()]
  const [upper, lower] = quantile(g, 0.5) > quantile(u, 0.5) ? [g, u] : [u, g]
  const [wider, peakier] = range(upper) < range(lower) ? [lower, upper] : [upper, lower]
  if (range(peakier) < PEAKY * range(wider)) return GREATEST_EPSILON

  const single = singleThreshold(upper, lower)
  const double = doubleThreshold(peakier, wider)
  const epsilon = Math.max(single ?? -1, double ?? -1)
  return epsilon < 0 ? undefined : Math.min(GREATEST_EPSILON, epsilon)
}

/** "φ ≥ t is of the upper models", for every t that makes a difference. */
function singleThreshold(upper: Float64Array, lower: Float64Array): number | undefined {
  const epsilonOf = bound(upper.length, lower.length)
  let best: number | undefined
  for (const t of [...upper, ...lower])
    best = greater(best, epsilonOf(countBelow(upper, t), lower.length - countBelow(lower, t)))
  return best
}

/** "l ≤ φ ≤ r is of the peakier models", for every l and r within reach that make a difference. */
function doubleThreshold(peakier: Float64Array, wider: Float64Array): number | undefined {
  const epsilonOf = bound(peakier.length, wider.length)
  const values = Float64Array.from(new Set([...peakier, ...wider])).sort()
  const peakierBelow = values.map((value) => countBelow(peakier, value))
  const widerBelow = values.map((value) => countBelow(wider, value))
  const width = range(peakier)
  const top = peakier.at(-1) ?? NaN
  let best: number | undefined
  for (let b = 0; b < values.length; b++) {
    // r with values[b] the last inside lies in [least, greatest).
    const least = Math.max(values[b] ?? NaN, top - REACH)
    const greatest = Math.min(values[b + 1] ?? Infinity, top + REACH)
    if (least > greatest || least === values[b + 1]) continue
    const inPeakier = peakierBelow[b + 1] ?? peakier.length
    const inWider = widerBelow[b + 1] ?? wider.length
    for (let a = b; a >= 0 && (values[a] ?? NaN) >= least - width - REACH; a--) {
      // l with values[a] the first inside is above values[a − 1].
      if ((values[a - 1] ?? -Infinity) >= greatest - width + REACH) continue
      const hits = inPeakier - (peakierBelow[a] ?? NaN)
      const alarms = inWider - (widerBelow[a] ?? NaN)
      best = greater(best, epsilonOf(peakier.length - hits, alarms))
    }
  }
  return best
}

/** ε by the numbers of false negatives among n and of false positives among m; undefined where it is left out. */
function bound(n: number, m: number): (falseNegatives: number, falsePositives: number) => number | undefined {
  const logs = (count: number) => Float64Array.from({ length: count + 1 }, (_, k) => Math.log(k / count))
  const logRests = (count: number) =>
    Float64Array.from({ length: count + 1 }, (_, k) => Math.log(Math.max(0, 1 - DELTA - k / count)))
  const [logFnr, logRestFnr, logFpr, logRestFpr] = [logs(n), logRests(n), logs(m), logRests(m)]
  return (falseNegatives, falsePositives) => {
    if (falseNegatives === 0 && falsePositives === 0) return Infinity
    if (falseNegatives === 0 || falsePositives === 0) return undefined
    return Math.max(
      0,
      (logRestFpr[falsePositives] ?? NaN) - (logFnr[falseNegatives] ?? NaN),
      (logRestFnr[falseNegatives] ?? NaN) - (logFpr[falsePositives] ?? NaN),
    )
  }
}

function greater(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b)
}

function range(ascending: Float64Array): number {
  return (ascending.at(-1) ?? NaN) - (ascending[0] ?? NaN)
}
