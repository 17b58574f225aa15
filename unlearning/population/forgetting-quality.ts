import type { Measured } from '../../experiment/records/measured.ts'
import type { YieldControl } from '../yield-control.ts'
import { combine } from '../metrics/measured.ts'
import { column, unusable, type Margins } from './pool.ts'
import { countBelow, quantile } from './sorted.ts'

const DELTA = 1e-5
/** The ε of models that an attack distinguishes without error. */
const GREATEST_EPSILON = 50
const BIN_WIDTH = 0.5
/**
 * In nats. The largest distance of a double threshold's right end from the greatest φ of the models
 * with the smaller range, and of its width from that range.
 */
const REACH = 2
/**
 * If one kind of models has a range below this share of the other's, the kinds are distinguished
 * without error.
 */
const PEAKY = 0.01
/** With fewer models of a kind there is no bin. */
const LEAST_MODELS = 3

/** Intervals between two yields. One takes about 10 ns. */
const YIELD_EVERY = 20_000_000

/** RA and TA in percent, means over the models of one kind. */
export type Utility = Readonly<Record<'ra' | 'ta', Measured>>

export interface ForgettingQuality {
  /** F in [0, 1]. 1 means that no attack distinguishes unlearned from gold. */
  readonly forgetting: Measured
  /** F times the ratios of RA and TA to gold's, the score of the challenge. */
  readonly score: Measured
}

/**
 * Forgetting quality of the NeurIPS 2023 unlearning challenge (Triantafillou et al. 2024, with the
 * constants of its published code). For each sample of D_f, attacks decide from φ whether a model
 * is unlearned or gold. The best attack bounds ε of (ε, δ)-unlearning with δ = 1e-5:
 *
 *     ε = max over attacks of max{log(1 − δ − FPR) − log FNR, log(1 − δ − FNR) − log FPR, 0}
 *     F = mean over samples of 2/2^n(ε)    score = F · RA_u/RA_g · TA_u/TA_g
 *
 * n(ε) = 1, 2, … numbers bins of width ½ up to ⌈log(N − 1)⌉ for N models of each kind (14 bins for
 * the challenge's 512). An ε beyond them adds 0. FPR = FNR = 0 is ε = ∞. A threshold where only one
 * of them is 0 is excluded, since N models are too few to estimate it.
 *
 * There are two kinds of attacks. A single threshold has the models with the greater median above
 * it. A double threshold has the models with the smaller range between its ends, which lie near the
 * ends of that range. The published code tries a grid of hundredths of a nat. Here every distinct
 * split of the given φ is tried once, which is the limit of a finer grid.
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

/** 2/2^n for the bin n = 1, 2, … of ε; 0 beyond the last bin. */
export function points(epsilon: number, bins: number): number {
  const bin = Math.floor(epsilon / BIN_WIDTH) + 1
  return bin > bins ? 0 : 2 / 2 ** bin
}

/**
 * The greatest ε of all attacks on one sample's φ, [models] of each kind; undefined if all are
 * excluded.
 */
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

/** The greatest ε of "φ ≥ t is an upper model" over all distinct thresholds t. */
function singleThreshold(upper: Float64Array, lower: Float64Array): number | undefined {
  const epsilonOf = bound(upper.length, lower.length)
  let best: number | undefined
  for (const t of [...upper, ...lower])
    best = greater(best, epsilonOf(countBelow(upper, t), lower.length - countBelow(lower, t)))
  return best
}

/** The greatest ε of "l ≤ φ ≤ r is a peakier model" over all distinct l and r within reach. */
function doubleThreshold(peakier: Float64Array, wider: Float64Array): number | undefined {
  const epsilonOf = bound(peakier.length, wider.length)
  const values = Float64Array.from(new Set([...peakier, ...wider])).sort()
  const peakierBelow = values.map((value) => countBelow(peakier, value))
  const widerBelow = values.map((value) => countBelow(wider, value))
  const width = range(peakier)
  const top = peakier.at(-1) ?? NaN
  let best: number | undefined
  for (let b = 0; b < values.length; b++) {
    // An r for which values[b] is the last one inside lies in [least, greatest).
    const least = Math.max(values[b] ?? NaN, top - REACH)
    const greatest = Math.min(values[b + 1] ?? Infinity, top + REACH)
    if (least > greatest || least === values[b + 1]) continue
    const inPeakier = peakierBelow[b + 1] ?? peakier.length
    const inWider = widerBelow[b + 1] ?? wider.length
    for (let a = b; a >= 0 && (values[a] ?? NaN) >= least - width - REACH; a--) {
      // An l for which values[a] is the first one inside is above values[a − 1].
      if ((values[a - 1] ?? -Infinity) >= greatest - width + REACH) continue
      const hits = inPeakier - (peakierBelow[a] ?? NaN)
      const alarms = inWider - (widerBelow[a] ?? NaN)
      best = greater(best, epsilonOf(peakier.length - hits, alarms))
    }
  }
  return best
}

/**
 * ε as a function of the false negatives among n and the false positives among m; undefined if it
 * is excluded.
 */
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
