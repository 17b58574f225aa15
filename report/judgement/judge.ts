import type { Measured } from '../../experiment/records/measured.ts'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import type { MethodVerdict, ResultRow } from '../../experiment/records/results.ts'
import { rowsOf, seedsOf } from '../../experiment/stages/stage-list.ts'
import type { ReportInput } from '../input.ts'
import { isApproximate } from '../results.ts'
import { criteria, type Criterion } from './criteria.ts'
import { holm, pairedTest, type PairedTest } from './paired-test.ts'

/** The level of the tests: for each method, and for the choice of the best. */
const ALPHA = 0.05

/** The outcome of a criterion for a method, compared with the floor. */
export type Outcome = 'further' | 'equivalent' | 'undecided'

export interface JudgedCriterion {
  readonly id: string
  /** Whether it is evidence in this run. */
  readonly counts: boolean
  /** The reason if it is no evidence. */
  readonly reason?: string
  /** The test of the original against the floor; absent if it was not tested. */
  readonly original?: PairedTest
}

export interface CriterionTest {
  readonly id: string
  readonly outcome: Outcome
  /** The test of the differences to the floor. */
  readonly test: PairedTest
  /** Its p value, adjusted over the method's criteria (Holm). */
  readonly p: number
}

export interface JudgedMethod {
  readonly label: string
  readonly verdict: MethodVerdict
  readonly tests: readonly CriterionTest[]
  /** Criteria that count without a figure of this method in every seed, and why. */
  readonly missing: readonly { readonly id: string; readonly reason: string }[]
  /** Mean distance beyond the floor by the worst criterion, in δ; absent if one is missing. */
  readonly excess?: number
}

/** The results of a run's tests. */
export interface Judgement {
  readonly seeds: number
  readonly criteria: readonly JudgedCriterion[]
  /** Empty where nothing could be tested. */
  readonly methods: readonly JudgedMethod[]
  /** The method of the least excess, and all that are not told from it. */
  readonly best?: string
  readonly amongBest: readonly string[]
  /** The reason if no method could be tested. */
  readonly impossible?: string
}

/**
 * Compares every approximate method with another gold model, paired over the seeds. The difference
 * is the method's distance from gold less the floor's, the mean of the further gold models'.
 *
 * - A method is `equivalent` by a criterion if the upper end of the 90% interval of the mean
 *   difference is below δ. Unlike in two one-sided tests, the lower end may be below −δ, since it
 *   is no shortcoming to be closer to gold than another gold model.
 * - Otherwise it is `further` if the mean difference is above 0 by a one-sided t test, adjusted
 *   over the method's criteria (Holm), and else `undecided`.
 *
 * A method is distinguishable from gold if it is further by any criterion, equivalent if it is so
 * by all criteria that count, and undecided otherwise.
 */
export function judge(input: ReportInput): Judgement {
  const { plan } = input.run
  const seeds = seedsOf(plan).length
  const nothing = { seeds, criteria: [], methods: [], amongBest: [] }
  const rows = rowsOf(plan)
  const methods = rows.flatMap((row, index) => (isApproximate(row) ? [{ label: row.label, index }] : []))
  if (methods.length === 0) return { ...nothing, impossible: 'no approximate method was run' }
  if (plan.gold.length === 0) return { ...nothing, impossible: NO_GOLD }
  if (seeds < 2)
    return { ...nothing, impossible: 'one seed does not show how much seeds differ; `seeds: 8` would' }
  if (plan.floor.length === 0)
    return { ...nothing, impossible: 'there is one gold model per seed; `gold: { models: 2 }` gives a floor' }

  const measured = criteria.flatMap((criterion) => {
    const distances = criterion.distances(input)
    return distances ? [{ criterion, excesses: excessesOf(distances, plan.candidates.length) }] : []
  })
  const original = rows.findIndex(({ method }) => method === 'original')
  const judged = measured.map(({ criterion, excesses }) => resolution(criterion, excesses[original]))
  const counting = measured.filter((_, i) => judged[i]?.counts)
  if (!judged.some(({ id, counts }) => counts && measures(id) === 'forgetting'))
    return { ...nothing, criteria: judged, impossible: inseparable(judged, original, seeds) }

  const results = methods.map(({ label, index }) => {
    const own = counting.map(({ criterion, excesses }) => ({ criterion, excess: excesses[index] ?? [] }))
    const worst = worstBySeed(own, seeds)
    return { ...judgeMethod(label, own), ...(worst && { worst, excess: meanOf(worst) }) }
  })
  return {
    seeds,
    criteria: judged,
    methods: results.map(({ worst: _, ...method }) => method),
    ...bestOf(results),
  }
}

/** The rows with what the tests say of each. */
export function withStandings(
  rows: readonly ResultRow[],
  { methods, amongBest }: Judgement,
): readonly ResultRow[] {
  return rows.map((row) => {
    const judged = isApproximate(row) ? methods.find(({ label }) => label === row.label) : undefined
    if (!judged) return row
    return { ...row, standing: { verdict: judged.verdict, isAmongBest: amongBest.includes(row.label) } }
  })
}

/** Distances less the mean of the further gold models' in the same seed, by row and seed. */
function excessesOf(
  distances: readonly (readonly Measured[])[],
  candidates: number,
): readonly (readonly Measured[])[] {
  const floor = distances.slice(candidates)
  return distances.map((row) =>
    row.map((own, seed): Measured => {
      if ('missing' in own) return own
      const others = floor.map((other) => other[seed] ?? { missing: 'there is none' })
      const missing = others.find((other) => 'missing' in other)
      if (missing) return { missing: `another gold model: ${missing.missing}` }
      const values = others.flatMap((other) => ('value' in other ? [other.value] : []))
      return { value: own.value - values.reduce((sum, value) => sum + value, 0) / values.length }
    }),
  )
}

/** The seeds' values, or the first reason why there is none. */
function complete(measured: readonly Measured[]): readonly number[] | { readonly missing: string } {
  const seed = measured.findIndex((one) => 'missing' in one)
  const first = measured[seed]
  if (first && 'missing' in first) return { missing: `seed ${seed + 1}: ${first.missing}` }
  return measured.flatMap((one) => ('value' in one ? [one.value] : []))
}

function isMissing(
  values: readonly number[] | { readonly missing: string },
): values is { readonly missing: string } {
  return 'missing' in values
}

function measures(id: string): Criterion['measures'] | undefined {
  return criteria.find((criterion) => criterion.id === id)?.measures
}

/** Whether a criterion counts. See `Criterion`. */
function resolution(criterion: Criterion, original: readonly Measured[] | undefined): JudgedCriterion {
  const { id, correlated } = criterion
  if (criterion.measures === 'harm') return { id, counts: true }
  if (!original)
    return { id, counts: false, reason: 'the original model, its control, is not among the methods' }
  const values = complete(original)
  if (isMissing(values)) return { id, counts: false, reason: values.missing }
  const test = pairedTest(values, correlated)
  return test.p < ALPHA
    ? { id, counts: true, original: test }
    : {
        id,
        counts: false,
        original: test,
        reason: 'it does not tell the original model from another gold model',
      }
}

function inseparable(judged: readonly JudgedCriterion[], original: number, seeds: number): string {
  if (original < 0)
    return 'the original model is not among the methods, so that nothing shows which criteria see forgetting'
  return judged.every(({ original: tested }) => !tested)
    ? 'no criterion of forgetting has a figure in every seed'
    : `by no criterion is the original model, which has forgotten nothing, further from gold than another gold model is (${seeds} seeds)`
}

interface Excess {
  readonly criterion: Criterion
  /** One entry for each seed. */
  readonly excess: readonly Measured[]
}

function judgeMethod(label: string, own: readonly Excess[]): JudgedMethod {
  const missing: { id: string; reason: string }[] = []
  const tested = own.flatMap(({ criterion, excess }) => {
    const values = complete(excess)
    if (!isMissing(values)) return [{ criterion, test: pairedTest(values, criterion.correlated) }]
    missing.push({ id: criterion.id, reason: values.missing })
    return []
  })
  const adjusted = holm(tested.map(({ test }) => test.p))
  const tests = tested.map(({ criterion: { id, delta }, test }, i): CriterionTest => {
    const p = adjusted[i] ?? 1
    const outcome = test.interval90[1] < delta ? 'equivalent' : p < ALPHA ? 'further' : 'undecided'
    return { id, outcome, test, p }
  })
  const verdict = tests.some(({ outcome }) => outcome === 'further')
    ? 'distinguishable'
    : missing.length === 0 && tests.every(({ outcome }) => outcome === 'equivalent')
      ? 'equivalent'
      : 'undecided'
  return { label, verdict, tests, missing }
}

/** Per seed, the greatest distance beyond the floor, in units of each criterion's δ. */
function worstBySeed(own: readonly Excess[], seeds: number): readonly number[] | undefined {
  const all = own.map(({ criterion, excess }) => ({ delta: criterion.delta, values: complete(excess) }))
  const worst = Array.from({ length: seeds }, (_, seed) =>
    Math.max(...all.map(({ delta, values }) => (isMissing(values) ? NaN : (values[seed] ?? NaN) / delta))),
  )
  return worst.some(Number.isNaN) ? undefined : worst
}

type Result = JudgedMethod & { readonly worst?: readonly number[] }

/**
 * The method of the least mean excess, and those that one-sided tests, adjusted over the methods,
 * do not tell from it.
 */
function bestOf(results: readonly Result[]): Pick<Judgement, 'best' | 'amongBest'> {
  const ranked = results
    .flatMap(({ label, worst, excess }) => (worst && excess !== undefined ? [{ label, worst, excess }] : []))
    .sort((a, b) => a.excess - b.excess)
  const [best, ...others] = ranked
  if (!best) return { amongBest: [] }
  const adjusted = holm(
    others.map(({ worst }) => pairedTest(worst.map((value, seed) => value - (best.worst[seed] ?? NaN))).p),
  )
  const near = others.filter((_, i) => (adjusted[i] ?? 0) >= ALPHA)
  return { best: best.label, amongBest: [best, ...near].map(({ label }) => label) }
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
