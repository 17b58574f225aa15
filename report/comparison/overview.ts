import type {
  ComparedColumn,
  ComparedOutcome,
  ComparedRun,
  Comparison,
  ShownValue,
} from '../../experiment/sweep/comparison.ts'
import type { Interval } from '../../common/interval.ts'
import { endsOf, type Figure, type ResultRow } from '../../experiment/records/results.ts'
import { isApproximate, valueOf } from '../results.ts'

const METHOD = 'method'

/** Something in which rows differ: a column of the comparison, or the method. */
export interface Dimension {
  readonly name: string
  /** Where its value stands in an entry's `values`. */
  readonly index: number
  /** Every value once: numbers ascending, others in the order of the runs; null, where there is one, last. */
  readonly values: readonly ShownValue[]
  /** All values are numbers, and there are at least two. */
  readonly numeric: boolean
  /** Runs that differ in it are compared with different gold models, or judged differently. */
  readonly decidesGold: boolean
}

/** An approximate method of a run that came through. */
export interface Entry {
  readonly run: ComparedRun
  readonly outcome: ComparedOutcome
  readonly row: ResultRow
  /** Of the dimensions. */
  readonly values: readonly ShownValue[]
  /** Average gap in points, and the ends of its 95% interval; absent where it is missing. */
  readonly gap?: number
  readonly ends?: Interval
  /** RTE. */
  readonly cost?: number
  /** Points of the gap above the floor; absent where one of the two is missing. */
  readonly above?: number
}

/** Runs that are compared with the same gold. */
export interface Group {
  /** What they share. */
  readonly values: readonly { readonly dimension: Dimension; readonly value: ShownValue }[]
  readonly runs: readonly OverviewRun[]
  readonly entries: readonly Entry[]
  /** Entries that have a gap, the closest to gold first. */
  readonly ranked: readonly Entry[]
  /** The one floor of all of its runs that have one; missing too where these differ. */
  readonly floor: Figure
}

/** A comparison as its tables and charts need it. */
export interface Overview {
  readonly comparison: Comparison
  /** The columns, then the method where rows differ in it. */
  readonly dimensions: readonly Dimension[]
  /** In their order. */
  readonly runs: readonly OverviewRun[]
  /** Those of all runs. */
  readonly entries: readonly Entry[]
  readonly groups: readonly Group[]
}

export interface OverviewRun {
  readonly run: ComparedRun
  readonly entries: readonly Entry[]
  /** Why there are none. */
  readonly missing?: string
}

export function overviewOf(comparison: Comparison): Overview {
  const { columns } = comparison
  const labels = new Set(comparison.runs.flatMap((run) => approximateRows(run).map(({ label }) => label)))
  const runs = comparison.runs.map((run) => runOf(run, labels.size > 1))
  const entries = runs.flatMap((run) => run.entries)
  const dimensions = [
    ...columns.map((column, i) => {
      const all = comparison.runs.map(({ values }) => values[i] ?? null)
      return dimension(column.name, i, all, decidesGold(column))
    }),
    ...(labels.size > 1 ? [dimension(METHOD, columns.length, [...labels], false)] : []),
  ]
  const shared = dimensions.filter((one) => one.decidesGold)
  return { comparison, dimensions, runs, entries, groups: groupsOf(shared, runs) }
}

function approximateRows({ outcome }: ComparedRun): readonly ResultRow[] {
  return 'missing' in outcome ? [] : outcome.rows.filter(isApproximate)
}

function runOf(run: ComparedRun, withMethod: boolean): OverviewRun {
  const { outcome } = run
  if ('missing' in outcome) return { run, entries: [], missing: outcome.missing }
  const entries = approximateRows(run).map((row) =>
    entryOf(run, outcome, row, withMethod ? [...run.values, row.label] : run.values),
  )
  return entries.length > 0 ? { run, entries } : { run, entries, missing: 'it has no approximate method' }
}

function entryOf(
  run: ComparedRun,
  outcome: ComparedOutcome,
  row: ResultRow,
  values: readonly ShownValue[],
): Entry {
  const { averageGap, rte } = row.metrics
  const cost = valueOf(rte)
  const floor = valueOf(outcome.floor)
  const ends = endsOf(averageGap)
  return {
    run,
    outcome,
    row,
    values,
    ...('value' in averageGap && {
      gap: averageGap.value,
      ...(ends && { ends }),
      ...(floor !== undefined && { above: averageGap.value - floor }),
    }),
    ...(cost !== undefined && { cost }),
  }
}

function dimension(name: string, index: number, all: readonly ShownValue[], decidesGold: boolean): Dimension {
  const distinct = [...new Set(all)]
  const present = distinct.filter((value) => value !== null)
  const numbers = present.filter((value) => typeof value === 'number')
  const numeric = numbers.length >= 2 && numbers.length === present.length
  return {
    name,
    index,
    values: [
      ...(numeric ? numbers.sort((a, b) => a - b) : present),
      ...(distinct.includes(null) ? [null] : []),
    ],
    numeric,
    decidesGold: decidesGold && distinct.length > 1,
  }
}

/** Methods and their seed are no part of gold; all else in a spec is a part of it, or of how models are judged. */
function decidesGold({ path }: ComparedColumn): boolean {
  return !/^(methods\b|seed\.unlearning$|relearn\b|probe\b|shadow\b|name$)/.test(path)
}

function groupsOf(shared: readonly Dimension[], runs: readonly OverviewRun[]): readonly Group[] {
  const valueOf = ({ run }: OverviewRun, { index }: Dimension) => run.values[index] ?? null
  const groups = groupedBy(runs, (run) => JSON.stringify(shared.map((dimension) => valueOf(run, dimension))))
  return [...groups.values()].map((own) => {
    const entries = own.flatMap((run) => run.entries)
    return {
      values: shared.flatMap((dimension) =>
        own.slice(0, 1).map((run) => ({ dimension, value: valueOf(run, dimension) })),
      ),
      runs: own,
      entries,
      ranked: ranked(entries),
      floor: commonFloor(own),
    }
  })
}

/** In the order in which keys turn up. */
export function groupedBy<T>(
  all: readonly T[],
  keyOf: (one: T) => string,
): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const one of all) {
    const group = groups.get(keyOf(one))
    if (group) group.push(one)
    else groups.set(keyOf(one), [one])
  }
  return groups
}

/** Those that have a gap, the closest to gold first: by what is above the floor, where all have one. */
export function ranked(entries: readonly Entry[]): readonly Entry[] {
  const distance = distanceOf(entries)
  return entries
    .flatMap((entry) => {
      const far = distance(entry)
      return far === undefined ? [] : [{ entry, far }]
    })
    .sort((a, b) => a.far - b.far)
    .map(({ entry }) => entry)
}

/** How far entries are from gold: points above the floor where all that have a gap have a floor too, else the gap. */
export function distanceOf(entries: readonly Entry[]): (entry: Entry) => number | undefined {
  return hasFloors(entries) ? ({ above }) => above : ({ gap }) => gap
}

export function hasFloors(entries: readonly Entry[]): boolean {
  return entries.every(({ gap, above }) => gap === undefined || above !== undefined)
}

/** The floor that all runs have which came through. */
function commonFloor(runs: readonly OverviewRun[]): Figure {
  const floors = runs.flatMap(({ run: { outcome } }) => ('missing' in outcome ? [] : [outcome.floor]))
  const [first, ...rest] = floors.filter((floor) => 'value' in floor)
  if (!first) return floors[0] ?? { missing: 'no run came through' }
  return rest.every(({ value }) => value === first.value)
    ? first
    : { missing: 'its runs have floors of their own' }
}
