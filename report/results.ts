import type { Manifest, ManifestOf, Measured } from '../experiment/manifest.ts'
import type { Candidate, Plan } from '../experiment/plan.ts'
import type { MetricName, ResultRow } from '../experiment/results.ts'
import type { RunRecord } from '../experiment/run.ts'
import { makerOf, mentionsOf } from '../experiment/stage-list.ts'
import type { Stage, StageKind, StageOf } from '../experiment/stages.ts'

export interface ReportInput {
  readonly run: RunRecord
  /** Of the stages that finished, by stage key. */
  readonly manifests: Readonly<Record<string, Manifest>>
  readonly failed: readonly { readonly title: string; readonly reason: string }[]
}

/** One row for each candidate, then one for each further gold model (the floor). */
export function results(input: ReportInput): readonly ResultRow[] {
  const { candidates, floor } = input.run.plan
  return [...candidates, ...floor].map((candidate) => row(input, candidate))
}

/** The rows of further gold models: how far equals are apart. */
export function floorRows(plan: Plan, rows: readonly ResultRow[]): readonly ResultRow[] {
  return rows.slice(plan.candidates.length)
}

/** The gold model's own figures, in percent, whether it is a row of the table or not. */
export type GoldFigures = Readonly<Record<'ra' | 'ua' | 'ta' | 'mia', Measured>>

export function goldFigures(input: ReportInput): GoldFigures {
  const { plan } = input.run
  const { evaluate, attack } = plan.reference
  return ownFigures(input, plan.reference, {
    missing: whyMissing(input, [...plan.gold.slice(0, 1), evaluate, attack]),
  })
}

/** Whether a row is a method's own, and neither the original model nor a gold one. */
export function isApproximate({ method }: Pick<ResultRow, 'method'>): boolean {
  return method !== 'original' && method !== 'retrain'
}

/** The approximate method with the lowest average gap to gold; the first of equals. */
export function closest(rows: readonly ResultRow[]): ResultRow | undefined {
  return rows.filter(isApproximate).reduce<ResultRow | undefined>((best, row) => {
    const gap = valueOf(row.metrics.averageGap)
    const lowest = best && valueOf(best.metrics.averageGap)
    return gap !== undefined && (lowest === undefined || gap < lowest) ? row : best
  }, undefined)
}

/** Mean average gap, in points, of the further gold models to the first. */
export function floorGap(plan: Plan, rows: readonly ResultRow[]): number | undefined {
  const gaps = floorRows(plan, rows).flatMap(({ metrics }) => valueOf(metrics.averageGap) ?? [])
  return gaps.length > 0 ? gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length : undefined
}

export function valueOf(measured: Measured): number | undefined {
  return 'value' in measured ? measured.value : undefined
}

/** A finished stage's manifest. */
export function manifestOf<K extends StageKind>(
  { manifests }: Pick<ReportInput, 'manifests'>,
  stage: Pick<StageOf<K>, 'key'>,
): ManifestOf<K> | undefined {
  return manifests[stage.key] as ManifestOf<K> | undefined
}

/** Why these stages, each the next one's input, came to no result: the first that failed, or the first that is not there. */
export function whyMissing(input: ReportInput, stages: readonly Stage[]): string {
  for (const { key, title } of stages) {
    if (key in input.manifests) continue
    // Candidates may share a stage, and each gives it a title of its own.
    const titles = mentionsOf(input.run.plan).flatMap((stage) => (stage.key === key ? [stage.title] : []))
    const failure = input.failed.find((failed) => titles.includes(failed.title))
    return failure ? `${failure.title} failed: ${failure.reason}` : `the stage "${title}" did not finish`
  }
  return 'its stages left no figure'
}

/** The stages that make and judge one row's model, inputs first. */
export function stagesBehind(plan: Plan, candidate: Candidate): readonly Stage[] {
  const maker = makerOf(plan, candidate)
  const { unlearn, evaluate, attack, compare } = candidate
  const { reference } = plan
  return [
    ...(unlearn ? [plan.original] : []),
    ...(maker ? [maker] : []),
    evaluate,
    attack,
    reference.evaluate,
    reference.attack,
    compare,
  ]
}

function row(input: ReportInput, candidate: Candidate): ResultRow {
  const missing: Measured = { missing: whyMissing(input, stagesBehind(input.run.plan, candidate)) }
  const compared = manifestOf<'compare'>(input, candidate.compare)?.metrics
  return {
    label: candidate.label,
    method: candidate.method,
    metrics: {
      ...ownFigures(input, candidate, missing),
      averageGap: compared?.averageGap ?? missing,
      tow: compared?.tow ?? missing,
      activationForget: compared?.activationDistance.forget ?? missing,
      activationRetained: compared?.activationDistance.retained ?? missing,
      jsDivergence: compared?.jsDivergence ?? missing,
      rte: relativeTime(input, candidate),
    },
  }
}

/** What a model's comparison says of the model alone; where there is none, its outputs and its attack say the same. */
function ownFigures(
  input: ReportInput,
  { evaluate, attack, compare }: Pick<Candidate, 'evaluate' | 'attack'> & Partial<Pick<Candidate, 'compare'>>,
  missing: Measured,
): GoldFigures {
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

/** UA = 100 − FA, in percent. */
function complement(forgetAccuracy: Measured): Measured {
  return 'value' in forgetAccuracy ? { value: 100 - forgetAccuracy.value } : forgetAccuracy
}

/** Wall seconds that the candidate's model took over those of the first gold model; the original costs nothing more. */
function relativeTime(input: ReportInput, candidate: Candidate): Measured {
  const { method, model } = candidate
  const { original, gold } = input.run.plan
  if (model.key === original.key && method === 'original') return { value: 0 }
  const [first] = gold
  const retraining = first && manifestOf<'train'>(input, first)
  if (!retraining) return { missing: whyMissing(input, first ? [first] : []) }
  if (first.key === model.key) return { value: 1 }
  const own = makerOf(input.run.plan, candidate)
  const seconds = own && input.manifests[own.key]?.clock.seconds
  if (seconds === undefined) return { missing: whyMissing(input, own ? [own] : []) }
  return retraining.clock.seconds > 0
    ? { value: seconds / retraining.clock.seconds }
    : { missing: 'retraining took no measurable time' }
}

/** Why figures of a row are missing, each reason once. */
export function missingReasons({ metrics }: ResultRow, names: readonly MetricName[]): readonly string[] {
  const reasons = names.flatMap((name) => {
    const measured = metrics[name]
    return 'missing' in measured ? [measured.missing] : []
  })
  return [...new Set(reasons)]
}

/** Accuracy of every row's model on the test samples of wholly forgotten classes, which TA leaves out. */
export function forgottenTest(input: ReportInput): readonly { label: string; accuracy: Measured }[] {
  const { plan, spec } = input.run
  if (spec.split.kind !== 'class') return []
  return [...plan.candidates, ...plan.floor].map((candidate) => ({
    label: candidate.label,
    accuracy: manifestOf<'evaluate'>(input, candidate.evaluate)?.metrics.accuracy.forgottenTest ?? {
      missing: whyMissing(input, stagesBehind(plan, candidate)),
    },
  }))
}
