import type { ResultRow } from '../experiment/results.ts'
import { seedsOf } from '../experiment/stage-list.ts'
import { duration, percent, scaled, significant, withInterval } from './format.ts'
import { overSeeds } from './over-seeds.ts'
import {
  closest,
  floorGap,
  floorRows,
  isApproximate,
  manifestOf,
  resultsBySeed,
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
  const untouched = original?.metrics.averageGap
  const about =
    untouched === undefined || 'missing' in untouched
      ? []
      : [
          `The original model, which has forgotten nothing, is ${withInterval(untouched, percent)} points from gold.`,
        ]

  const gap = best?.metrics.averageGap
  if (best === undefined || gap === undefined || 'missing' in gap)
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
        ? `${best.label}, the only approximate method, has an average gap of ${withInterval(gap, percent)} points to gold.`
        : `Of ${methods.length} approximate methods, ${best.label} comes closest to gold, with an average gap of ${withInterval(gap, percent)} points.`,
    details: [
      ...leadWords(input, rows, best),
      floorWords(input, gap.value, rows),
      costWords(input, best),
      ...about,
      ...(unjudged.length > 0
        ? [`Not compared, for want of a gap: ${unjudged.map(({ label }) => label).join(', ')}.`]
        : []),
    ],
  }
}

/** Of several seeds, how far the method is ahead of the next: from the differences within each seed. */
function leadWords(input: ReportInput, rows: readonly ResultRow[], best: ResultRow): readonly string[] {
  const next = closest(rows.filter((row) => row !== best))
  if (!next || !input.run.plan.seeds) return []
  const gapOf = (seed: readonly ResultRow[], row: ResultRow) =>
    seed[rows.indexOf(row)]?.metrics.averageGap ?? { missing: 'not compared' }
  const lead = overSeeds(
    resultsBySeed(input).map((seed) => {
      const [own, other] = [gapOf(seed, best), gapOf(seed, next)]
      return 'missing' in own ? own : 'missing' in other ? other : { value: other.value - own.value }
    }),
  )
  if ('missing' in lead || lead.interval === undefined) return []
  const within = Math.abs(lead.value) <= lead.interval ? ', which chance between seeds may explain' : ''
  return [`${next.label}, the next, is ${withInterval(lead, percent)} points behind${within}.`]
}

function floorWords(input: ReportInput, gap: number, rows: readonly ResultRow[]): string {
  const found = floorGap(input)
  if (found === undefined)
    return 'How far two gold models are apart is not known, so there is no floor to read the gap against.'
  const floor = found.value
  const pairs = floorRows(input.run.plan, rows).length * (found.n ?? 1)
  const apart = `Gold models that differ in their seed alone are ${withInterval(found, percent)} points apart${pairs > 1 ? ` (mean of ${pairs} pairs)` : ''}`
  if (gap <= floor) return `${apart}: by these four figures, the method cannot be told from gold.`
  return percent(floor) !== '0.00'
    ? `${apart}: the gap is ${significant(gap / floor)} times that floor.`
    : `${apart}: chance between seeds explains none of the gap.`
}

function costWords(input: ReportInput, { label, metrics: { rte } }: ResultRow): string {
  if ('missing' in rte) return `Its cost is not known: ${rte.missing}.`
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
    ? `It took ${withInterval(scaled(rte, 100), significant)}% of the time of retraining${seconds}.`
    : `It took ${withInterval(rte, significant)} times as long as retraining${seconds}.`
}
