import { requestedKinds } from '../../experiment/stages/requested.ts'
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

/** A property in which rows differ: a column of the comparison, or the method. */
export interface Dimension {
  readonly name: string
  /** The index of its value in an entry's `values`. */
  readonly index: number
  /** Distinct values: numbers ascend, others are in the order of the runs, null is last. */
  readonly values: readonly ShownValue[]
  /** All values are numbers, and there are at least two. */
  readonly numeric: boolean
  /** Runs that differ in it are compared with different gold models, or evaluated differently. */
  readonly decidesGold: boolean
}

/** An approximate method of a run that came through. */
export interface Entry {
  readonly run: ComparedRun
  readonly outcome: ComparedOutcome
  readonly row: ResultRow
  /** One value for each dimension. */
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
  /** The values that the runs share. */
  readonly values: readonly { readonly dimension: Dimension; readonly value: ShownValue }[]
  readonly runs: readonly OverviewRun[]
  readonly entries: readonly Entry[]
  /** Entries that have a gap, the closest to gold first. */
  readonly ranked: readonly Entry[]
  /** The one floor of all of its runs that have one; missing too where these differ. */
  readonly floor: Figure
}

/** A comparison, prepared for its tables and charts. */
export interface Overview {
  readonly comparison: Comparison
  /** The columns, then the method where rows differ in it. */
  readonly dimensions: readonly Dimension[]
  /** The runs in the order of the comparison. */
  readonly runs: readonly OverviewRun[]
  /** The entries of all runs. */
  readonly entries: readonly Entry[]
  readonly groups: readonly Group[]
}

export interface OverviewRun {
  readonly run: ComparedRun
  readonly entries: readonly Entry[]
  /** The reason if there are no entries. */
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

/**
 * Whether runs that differ in a column have different gold models or evaluations. Methods, their
 * seed and additional measurements do not.
 */
function decidesGold({ path }: ComparedColumn): boolean {
  const [section = ''] = path.split(/[.[]/)
  return path !== 'seed.unlearning' && !irrelevantSections.has(section)
}

const irrelevantSections: ReadonlySet<string> = new Set(['name', 'methods', 'shadow', ...requestedKinds])

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

/** Groups items by key, in the order in which keys first occur. */
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

/** The entries that have a gap, closest to gold first. */
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

/** The distance to gold: points above the floor if all entries have one, else the gap itself. */
export function distanceOf(entries: readonly Entry[]): (entry: Entry) => number | undefined {
  return hasFloors(entries) ? ({ above }) => above : ({ gap }) => gap
}

export function hasFloors(entries: readonly Entry[]): boolean {
  return entries.every(({ gap, above }) => gap === undefined || above !== undefined)
}

/** The floor that all finished runs share. */
function commonFloor(runs: readonly OverviewRun[]): Figure {
  const floors = runs.flatMap(({ run: { outcome } }) => ('missing' in outcome ? [] : [outcome.floor]))
  const [first, ...rest] = floors.filter((floor) => 'value' in floor)
  if (!first) return floors[0] ?? { missing: 'no run came through' }
  return rest.every(({ value }) => value === first.value)
    ? first
    : { missing: 'its runs have floors of their own' }
}
