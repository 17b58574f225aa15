import type { ComparedRun } from '../../experiment/sweep/comparison.ts'
import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import { grouped } from '../format.ts'
import { limits } from './limits.ts'
import { ranked, type Dimension, type Entry, type Overview } from './overview.ts'

/** A line of the table of all figures. */
export type Line =
  { readonly entry: Entry; readonly best: boolean } | { readonly run: ComparedRun; readonly reason: string }

export interface Lines {
  readonly lines: readonly Line[]
  /** How many there are in all, where only the closest to gold are here. */
  readonly of?: number
}

/** Every method of every run, and every run without one, in the order of the runs; of too many, those closest to gold. */
export function linesOf({ runs, entries, groups }: Overview, limit: number): Lines {
  const best = new Set(groups.flatMap(({ ranked }) => ranked.slice(0, 1)))
  const lineOf = (entry: Entry) => ({ entry, best: best.has(entry) })
  const of = entries.length + runs.filter(({ missing }) => missing !== undefined).length
  if (of > limit) return { lines: ranked(entries).slice(0, limit).map(lineOf), of }
  return {
    lines: runs.flatMap(({ run, entries, missing }): readonly Line[] =>
      missing === undefined ? entries.map(lineOf) : [{ run, reason: missing }],
    ),
  }
}

/** The figures of the table, the one that ranks first. */
export function comparedMetrics({ entries }: Pick<Overview, 'entries'>): readonly MetricName[] {
  const names = [
    'averageGap',
    'gapWithoutMia',
    'ua',
    'ra',
    'ta',
    'mia',
    'activationForget',
    'validationGap',
    'rte',
  ] as const
  // Not every run has validation samples, and reports of older versions have no gap without MIA.
  const known = (name: MetricName) => entries.some(({ row }) => 'value' in row.metrics[name])
  return names.filter((name) => (name !== 'validationGap' && name !== 'gapWithoutMia') || known(name))
}

/** The columns of values that a table has room for. */
export function shownDimensions({ comparison, dimensions }: Overview): readonly Dimension[] {
  return dimensions.filter(({ index }) => index < limits.columns || index >= comparison.columns.length)
}

/** `Avg. gap (points)` */
export function headingOf(name: MetricName): string {
  const { label, unit } = metricColumns[name]
  return unit ? `${label} (${unit})` : label
}

/** What tables say of a table that is cut off. */
export function cutOff({ lines, of }: Lines): string | undefined {
  return of === undefined
    ? undefined
    : `The ${lines.length} rows with the smallest average gaps of ${grouped(of)}, the smallest first; results.csv has all.`
}

/** What tables say of columns that are left out. */
export function leftOutColumns(overview: Overview): string | undefined {
  const left = overview.dimensions.length - shownDimensions(overview).length
  return left === 0 ? undefined : `${left} more columns are in “What differs” and in results.csv.`
}
