import type { ResultRow } from '../experiment/records/results.ts'
import { seedsOf } from '../experiment/stages/stage-list.ts'
import { paretoFront } from './comparison/front.ts'
import { counted } from '../common/counted.ts'
import { duration, percent, scaled, significant, withInterval } from './format.ts'
import type { Judgement } from './judgement/judge.ts'
import { details, headline, list } from './judgement/words.ts'
import { manifestOf, type ReportInput } from './input.ts'
import { floorGap, floorRows, isApproximate, lowestGap, valueOf } from './results.ts'

/** The run's outcome in plain words. */
export interface Verdict {
  /** The result of the tests, or the reason why no method was tested. */
  readonly headline: string
  /** Sentences about the best methods, their cost, missing evidence, gaps and the floor. */
  readonly details: readonly string[]
}

export function verdict(input: ReportInput, rows: readonly ResultRow[], judgement: Judgement): Verdict {
  const methods = rows.filter(isApproximate)
  if (methods.length === 0)
    return {
      headline: 'No approximate method was run, so there is none to compare with gold.',
      details: originalWords(rows),
    }
  const cheapest = rows.find(({ label }) => label === (judgement.best ?? lowestGap(rows)?.label))
  return {
    headline: headline(judgement),
    details: [
      ...details(judgement),
      ...frontWords(judgement, rows),
      ...(judgement.methods.length === 0 ? gapWords(rows) : []),
      floorWords(input, rows),
      ...originalWords(rows),
      ...(cheapest ? [costWords(input, cheapest)] : []),
    ],
  }
}

/** Sentences about average gaps, for runs without tests. */
function gapWords(rows: readonly ResultRow[]): readonly string[] {
  const methods = rows.filter(isApproximate)
  const lowest = lowestGap(rows)
  const gap = lowest?.metrics.averageGap
  const without = methods.filter(({ metrics }) => 'missing' in metrics.averageGap)
  const missing =
    without.length === 0 ? [] : [`Without an average gap: ${without.map(({ label }) => label).join(', ')}.`]
  if (!lowest || !gap || 'missing' in gap) return missing
  const of = methods.length === 1 ? '' : ` of ${counted(methods.length, 'method')}`
  return [
    `By averages alone, ${lowest.label} has the smallest gap to gold${of}: ${withInterval(gap, percent)} points.`,
    ...missing,
  ]
}

/** The Pareto front of cost and distance from gold. */
function frontWords(judgement: Judgement, rows: readonly ResultRow[]): readonly string[] {
  const points = judgement.methods.flatMap(({ label, excess }) => {
    const row = rows.find((one) => one.label === label)
    const cost = row && valueOf(row.metrics.rte)
    return excess === undefined || cost === undefined ? [] : [{ label, cost, gap: excess }]
  })
  if (points.length < 2) return []
  const front = paretoFront(points).map(
    ({ label, cost, gap }) => `${label} (${significant(cost)} × retraining, ${significant(gap)} δ)`,
  )
  return [`No method is closer at less cost than ${list(front)}.`]
}

function floorWords(input: ReportInput, rows: readonly ResultRow[]): string {
  const found = floorGap(input)
  if (found === undefined)
    return 'How far two gold models are apart is not known, so there is no floor to read gaps against.'
  const pairs = floorRows(input.run.plan, rows).length * (found.n ?? 1)
  const mean = pairs > 1 ? ` (mean of ${pairs} pairs)` : ''
  return `Gold models that differ in their seed alone are ${withInterval(found, percent)} points apart by the average gap${mean}.`
}

function originalWords(rows: readonly ResultRow[]): readonly string[] {
  const gap = rows.find(({ method }) => method === 'original')?.metrics.averageGap
  return gap === undefined || 'missing' in gap
    ? []
    : [`The original model, which has forgotten nothing, is ${withInterval(gap, percent)} points from gold.`]
}

function costWords(input: ReportInput, { label, metrics: { rte } }: ResultRow): string {
  if ('missing' in rte) return `What ${label} costs is not known: ${rte.missing}.`
  const times = seedsOf(input.run.plan).flatMap(({ gold: [gold], candidates }) => {
    const unlearn = candidates.find((candidate) => candidate.label === label)?.unlearn
    const own = unlearn && manifestOf<'unlearn'>(input, unlearn)?.clock.seconds
    const retraining = gold && manifestOf<'train'>(input, gold)?.clock.seconds
    return own === undefined || retraining === undefined ? [] : [{ own, retraining }]
  })
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const seconds =
    times.length === 0
      ? ''
      : `: ${duration(mean(times.map(({ own }) => own)))} against ${duration(mean(times.map(({ retraining }) => retraining)))}`
  return rte.value < 1
    ? `${label} took ${withInterval(scaled(rte, 100), significant)}% of the time of retraining${seconds}.`
    : `${label} took ${withInterval(rte, significant)} times as long as retraining${seconds}.`
}
