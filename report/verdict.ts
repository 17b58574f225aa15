import type { Plan } from '../experiment/plan.ts'
import type { ResultRow } from '../experiment/results.ts'
import { duration, percent, significant } from './format.ts'
import {
  closest,
  floorGap,
  floorRows,
  isApproximate,
  manifestOf,
  valueOf,
  type ReportInput,
} from './results.ts'

/** The run's outcome in plain words. */
export interface Verdict {
  /** Which method comes closest to gold. */
  readonly headline: string
  /** Its gap against the floor, its cost, what the original's gap is, what could not be compared: a sentence an entry. */
  readonly details: readonly string[]
}

export function verdict(input: ReportInput, rows: readonly ResultRow[]): Verdict {
  const methods = rows.filter(isApproximate)
  const best = closest(rows)
  const unjudged = methods.filter(({ metrics }) => valueOf(metrics.averageGap) === undefined)
  const original = rows.find(({ method }) => method === 'original')
  const untouched = original && valueOf(original.metrics.averageGap)
  const about =
    untouched === undefined
      ? []
      : [`The original model, which has forgotten nothing, is ${percent(untouched)} points from gold.`]

  const gap = best && valueOf(best.metrics.averageGap)
  if (best === undefined || gap === undefined)
    return {
      headline:
        methods.length === 0
          ? 'No approximate method was run, so there is none to compare with gold.'
          : `No method could be compared with gold: ${methods.map(({ label }) => label).join(', ')} ${methods.length === 1 ? 'has' : 'have'} no average gap.`,
      details: about,
    }
  return {
    headline:
      methods.length === 1
        ? `${best.label}, the only approximate method, has an average gap of ${percent(gap)} points to gold.`
        : `Of ${methods.length} approximate methods, ${best.label} comes closest to gold, with an average gap of ${percent(gap)} points.`,
    details: [
      floorWords(gap, input.run.plan, rows),
      costWords(input, best),
      ...about,
      ...(unjudged.length > 0
        ? [`Not compared, for want of a gap: ${unjudged.map(({ label }) => label).join(', ')}.`]
        : []),
    ],
  }
}

function floorWords(gap: number, plan: Plan, rows: readonly ResultRow[]): string {
  const floor = floorGap(plan, rows)
  if (floor === undefined)
    return 'How far two gold models are apart is not known, so there is no floor to read the gap against.'
  const pairs = floorRows(plan, rows).length
  const apart = `Gold models that differ in their seed alone are ${percent(floor)} points apart${pairs > 1 ? ` (mean of ${pairs} pairs)` : ''}`
  if (gap <= floor) return `${apart}: by these four figures, the method cannot be told from gold.`
  return percent(floor) !== '0.00'
    ? `${apart}: the gap is ${significant(gap / floor)} times that floor.`
    : `${apart}: chance between seeds explains none of the gap.`
}

function costWords({ run, ...input }: ReportInput, { label, metrics: { rte } }: ResultRow): string {
  if ('missing' in rte) return `Its cost is not known: ${rte.missing}.`
  const [gold] = run.plan.gold
  const unlearn = run.plan.candidates.find((candidate) => candidate.label === label)?.unlearn
  const own = unlearn && manifestOf<'unlearn'>(input, unlearn)?.clock.seconds
  const retraining = gold && manifestOf<'train'>(input, gold)?.clock.seconds
  const seconds =
    own === undefined || retraining === undefined ? '' : `: ${duration(own)} against ${duration(retraining)}`
  return rte.value < 1
    ? `It took ${significant(100 * rte.value)}% of the time of retraining${seconds}.`
    : `It took ${significant(rte.value)} times as long as retraining${seconds}.`
}
