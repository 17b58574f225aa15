import type { ComparedRun } from '../../experiment/sweep/comparison.ts'
import { grouped } from '../../common/counted.ts'
import { ranked, type Entry, type Overview } from './overview.ts'

/** A line of the table of all figures. */
export type Line =
  { readonly entry: Entry; readonly best: boolean } | { readonly run: ComparedRun; readonly reason: string }

export interface Lines {
  readonly lines: readonly Line[]
  /** The number of all lines, if only the closest to gold are listed. */
  readonly of?: number
}

/**
 * Every method of every run, and every run without a method, in the order of the runs. Above the
 * limit, the lines that are closest to gold.
 */
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

/** A sentence about rows that are cut off, if there are any. */
export function cutOff({ lines, of }: Lines): string | undefined {
  return of === undefined
    ? undefined
    : `The ${lines.length} rows with the smallest average gaps of ${grouped(of)}, the smallest first; results.csv has all.`
}
