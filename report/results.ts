import { GOLD_ELSEWHERE, NO_GOLD } from '../experiment/records/no-gold.ts'
import type { Measured } from '../experiment/records/measured.ts'
import type { Candidate, Plan, SeedPlan } from '../experiment/plan/types.ts'
import {
  metricColumns,
  ranges,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../experiment/records/results.ts'
import { makerOf, rowsOf, seedsOf } from '../experiment/stages/stage-list.ts'
import { manifestOf, modelsBehind, stagesBehind, whyMissing, type ReportInput } from './input.ts'
import { marksOf } from './marks.ts'
import { overSeeds, valueOf } from './over-seeds.ts'

export { valueOf }

/**
 * One row for each candidate, then one for each further gold model (the floor). With several seeds,
 * figures are means of the seeds' figures, each of which is compared with the seed's own gold.
 */
export function results(input: ReportInput): readonly ResultRow[] {
  const seeds = resultsBySeed(input)
  const models = modelsBehind(input.run.plan)
  return (seeds[0] ?? []).map((row, i) => {
    const all = seeds.flatMap((rows) => rows[i]?.metrics ?? [])
    const names = Object.keys(row.metrics) as MetricName[]
    const metrics = Object.fromEntries(
      names.map((name) => [
        name,
        overSeeds(
          all.map((one) => one[name]),
          metricColumns[name].range,
        ),
      ]),
    )
    return { ...row, metrics: metrics as ResultRow['metrics'], ...marksOf(input, models[i] ?? []) }
  })
}

/** The rows of each seed. */
export function resultsBySeed(input: ReportInput): readonly (readonly SeedRow[])[] {
  return seedsOf(input.run.plan).map((seed) => rowsOf(seed).map((candidate) => row(input, seed, candidate)))
}

/** A row of one seed. */
export interface SeedRow extends ResultRow {
  readonly metrics: Readonly<Record<MetricName, Measured>>
}

/** The rows of further gold models, whose gaps are the floor. */
export function floorRows(plan: Plan, rows: readonly ResultRow[]): readonly ResultRow[] {
  return rows.slice(plan.candidates.length)
}

/** The gold model's own figures, in percent. */
export type GoldFigures = Readonly<Record<'ra' | 'ua' | 'ta' | 'mia', Figure>>

export function goldFigures(input: ReportInput): GoldFigures {
  const seeds = goldBySeed(input)
  const figure = (name: keyof GoldFigures) =>
    overSeeds(
      seeds.map((figures) => figures[name]),
      ranges.percent,
    )
  return { ra: figure('ra'), ua: figure('ua'), ta: figure('ta'), mia: figure('mia') }
}

/** The gold model's own figures for each seed. */
export function goldBySeed(input: ReportInput): readonly Readonly<Record<keyof GoldFigures, Measured>>[] {
  return seedsOf(input.run.plan).map(({ gold, reference }) => {
    if (!reference) return ownFigures(input, undefined, { missing: NO_GOLD })
    const { evaluate, attack } = reference
    const missing = { missing: whyMissing(input, [...gold.slice(0, 1), evaluate, attack]) }
    return ownFigures(input, reference, missing)
  })
}

/** Whether a row is of an unlearning method, and not of the original or a gold model. */
export function isApproximate({ method }: Pick<ResultRow, 'method'>): boolean {
  return method !== 'original' && method !== 'retrain'
}

/** The approximate method with the lowest average gap to gold. This is no test. */
export function lowestGap(rows: readonly ResultRow[]): ResultRow | undefined {
  return rows.filter(isApproximate).reduce<ResultRow | undefined>((best, row) => {
    const gap = valueOf(row.metrics.averageGap)
    const lowest = best && valueOf(best.metrics.averageGap)
    return gap !== undefined && (lowest === undefined || gap < lowest) ? row : best
  }, undefined)
}

/** Mean average gap, in points, of the further gold models to the first of their seed. */
export function floorGap(input: ReportInput): Extract<Figure, { value: number }> | undefined {
  const { plan } = input.run
  const gap = overSeeds(
    resultsBySeed(input).map((rows): Measured => {
      const gaps = floorRows(plan, rows).flatMap(({ metrics }) => valueOf(metrics.averageGap) ?? [])
      return gaps.length > 0
        ? { value: gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length }
        : { missing: 'no two gold models were compared' }
    }),
    metricColumns.averageGap.range,
  )
  return 'value' in gap ? gap : undefined
}

function row(input: ReportInput, seed: SeedPlan, candidate: Candidate): SeedRow {
  const missing: Measured = { missing: whyMissing(input, stagesBehind(seed, candidate)) }
  const compared = manifestOf<'compare'>(input, candidate.compare)?.metrics
  const own = ownFigures(input, candidate, missing)
  return {
    label: candidate.label,
    method: candidate.method,
    metrics: {
      ...own,
      averageGap: compared?.averageGap ?? missing,
      gapWithoutMia: seed.reference
        ? gapWithoutMia(own, ownFigures(input, seed.reference, missing))
        : { missing: NO_GOLD },
      tow: compared?.tow ?? missing,
      activationForget: compared?.activationDistance.forget ?? missing,
      activationRetained: compared?.activationDistance.retained ?? missing,
      jsDivergence: compared?.jsDivergence ?? missing,
      zrf: compared?.zrf ?? missing,
      validationGap: compared?.validationGap ?? missing,
      rte: relativeTime(input, seed, candidate),
    },
  }
}

/** A model's own figures: from its comparison, or else from its evaluation and its attack. */
function ownFigures(
  input: ReportInput,
  model: (Pick<Candidate, 'evaluate' | 'attack'> & Partial<Pick<Candidate, 'compare'>>) | undefined,
  missing: Measured,
): Readonly<Record<keyof GoldFigures, Measured>> {
  if (!model) return { ra: missing, ua: missing, ta: missing, mia: missing }
  const { evaluate, attack, compare } = model
  const compared = compare && manifestOf<'compare'>(input, compare)?.metrics
  const accuracy = manifestOf<'evaluate'>(input, evaluate)?.metrics.accuracy
  const efficacy = manifestOf<'attack'>(input, attack)?.metrics.efficacy
  return {
    ra: compared?.ra ?? accuracy?.retained ?? missing,
    ua: compared?.ua ?? (accuracy ? complement(accuracy.forget) : missing),
    ta: compared?.ta ?? accuracy?.test ?? missing,
    mia: compared?.mia ?? efficacy?.svm.confidence ?? missing,
  }
}

/**
 * Mean absolute difference to the gold model of the same seed of the three figures that need no
 * attack, in points.
 */
function gapWithoutMia(
  own: Readonly<Record<keyof GoldFigures, Measured>>,
  gold: Readonly<Record<keyof GoldFigures, Measured>>,
): Measured {
  let sum = 0
  for (const name of ['ua', 'ra', 'ta'] as const) {
    const [a, b] = [own[name], gold[name]]
    if ('missing' in a) return a
    if ('missing' in b) return { missing: `gold: ${b.missing}` }
    sum += Math.abs(a.value - b.value) / 3
  }
  return { value: sum }
}

/** UA = 100 − FA, in percent. */
function complement(forgetAccuracy: Measured): Measured {
  return 'value' in forgetAccuracy ? { value: 100 - forgetAccuracy.value } : forgetAccuracy
}

/**
 * Wall seconds of the candidate's model over those of its seed's first gold model. The original has
 * a relative time of 0.
 */
function relativeTime(input: ReportInput, seed: SeedPlan, candidate: Candidate): Measured {
  const { method, model } = candidate
  const { original, gold } = seed
  if (model.key === original.key && method === 'original') return { value: 0 }
  const [first] = gold
  if (!first) return { missing: NO_GOLD }
  if (candidate.given) return { missing: 'the model was made elsewhere, and how long that took is not known' }
  if (first.params.on === 'given') return { missing: GOLD_ELSEWHERE }
  const retraining = manifestOf<'train'>(input, first)
  if (!retraining) return { missing: whyMissing(input, [first]) }
  if (first.key === model.key) return { value: 1 }
  const own = makerOf(seed, candidate)
  const seconds = own && input.manifests[own.key]?.clock.seconds
  if (seconds === undefined) return { missing: whyMissing(input, own ? [own] : []) }
  return retraining.clock.seconds > 0
    ? { value: seconds / retraining.clock.seconds }
    : { missing: 'retraining took no measurable time' }
}

/** Accuracy of every row's model on the test samples of forgotten classes, which TA leaves out. */
export function forgottenTest(input: ReportInput): readonly { label: string; accuracy: Figure }[] {
  const { plan, spec } = input.run
  if (spec.split.kind !== 'class') return []
  const labels = rowsOf(plan).map(({ label }) => label)
  return modelsBehind(plan).map((models, i) => ({
    label: labels[i] ?? '',
    accuracy: overSeeds(
      models.map(
        ({ seed, candidate }) =>
          manifestOf<'evaluate'>(input, candidate.evaluate)?.metrics.accuracy.forgottenTest ?? {
            missing: whyMissing(input, stagesBehind(seed, candidate)),
          },
      ),
      ranges.percent,
    ),
  }))
}
