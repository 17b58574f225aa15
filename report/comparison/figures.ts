import type { ComparedRun, ShownValue } from '../../experiment/sweep/comparison.ts'
import type { MetricName } from '../../experiment/records/results.ts'
import { figureCell, prose, type Cell, type FullCell, type Row, type Section, type Table } from '../blocks.ts'
import { figure, percent } from '../format.ts'
import { markAt, marksNotes, signs } from '../marks.ts'
import { metricColumn, metricLegend } from '../sections/metrics.ts'
import { limits } from './limits.ts'
import { cutOff, linesOf, type Lines } from './lines.ts'
import type { Dimension, Entry, Overview } from './overview.ts'
import { valueText } from './words.ts'

/** The table of all figures: a row for each method of each run. */
export function figuresSection(overview: Overview): Section {
  const names = comparedMetrics(overview)
  const dimensions = shownDimensions(overview)
  const lines = linesOf(overview, limits.rows)
  const start = commonStart(overview.comparison.runs.map(({ id }) => id))
  const left = overview.dimensions.length - dimensions.length
  const words = [
    'Marked are the rows with the smallest average gap to their gold.',
    overview.entries.some(({ ends }) => ends)
      ? 'Figures are means over seeds, with 95% intervals: ± half of it, or both ends where it is not symmetric.'
      : [],
    cutOff(lines) ?? [],
    left === 0 ? [] : `${left} more columns are in “What differs” and in results.csv.`,
  ]
  return {
    title: 'All figures',
    blocks: [
      prose([
        words.flat().join(' '),
        ...(start === '' ? [] : [' Ids of runs begin with ', { code: start }, '.']),
      ]),
      figuresTable(overview, { names, dimensions, lines, nameOf: ({ id }) => id.slice(start.length) }),
      metricLegend(names),
    ],
  }
}

export interface FiguresOptions {
  readonly names: readonly MetricName[]
  readonly dimensions: readonly Dimension[]
  readonly lines: Lines
  /** The name of a run in its cell. Without it the table has no column of runs. */
  readonly nameOf?: (run: ComparedRun) => string
}

/** Methods of runs with the values of their settings, their figures and the floor. */
export function figuresTable(
  overview: Overview,
  { names, dimensions, lines, nameOf }: FiguresOptions,
): Table {
  const start = (run: ComparedRun, values: readonly ShownValue[]): readonly Cell[] => [
    ...(nameOf ? [{ text: nameOf(run), link: run.link }] : []),
    ...dimensions.map(({ index }) => valueText(values[index] ?? null)),
  ]
  const rows = lines.lines.map((line): Row => {
    if ('run' in line) {
      const reason = { text: 'n/a', note: line.reason }
      return {
        cells: [...start(line.run, line.run.values), reason, ...names.map(() => '')],
        style: 'missing',
      }
    }
    const { run, values, outcome } = line.entry
    return {
      cells: [
        ...start(run, values),
        ...names.map((name) => cellOf(line.entry, name)),
        figureCell(outcome.floor, percent),
      ],
      style: line.best ? 'best' : undefined,
    }
  })
  return {
    kind: 'table',
    name: 'All figures',
    id: 'figures',
    columns: [
      ...(nameOf ? [{ label: 'Run' }] : []),
      ...dimensions.map(({ name, numeric }) => ({ label: name, text: !numeric })),
      ...names.map(metricColumn),
      { label: 'Floor', unit: 'points', split: true },
    ],
    rows,
    notes: marksNotes(overview.entries.map(({ row }) => row)),
  }
}

/**
 * A figure with its marks. The gap has those of the model, collapsed or not tuned, since rows have
 * no label.
 */
function cellOf({ row }: Entry, name: MetricName): FullCell {
  const ofModel = [
    ...(row.collapsed !== undefined ? [signs.collapsed] : []),
    ...(row.untuned ? [signs.untuned] : []),
  ]
  return {
    ...figureCell(row.metrics[name], (value) => figure(name, value)),
    mark: name === 'averageGap' && ofModel.length > 0 ? ofModel.join(' ') : markAt(row, name),
    tone: name === 'mia' && row.attackAtChance ? 'faint' : undefined,
  }
}

/** The metrics of the table. The one that ranks the rows is first. */
export function comparedMetrics({ entries }: Pick<Overview, 'entries'>): readonly MetricName[] {
  // Not every run has validation samples, and reports of older versions have no gap without MIA.
  const optional: readonly MetricName[] = ['gapWithoutMia', 'validationGap']
  const names = ['averageGap', 'gapWithoutMia', 'ua', 'ra', 'ta', 'mia', 'activationForget'] as const
  return [...names, 'validationGap' as const, 'rte' as const].filter(
    (name) => !optional.includes(name) || entries.some(({ row }) => 'value' in row.metrics[name]),
  )
}

/** The columns of values that a table has room for. */
export function shownDimensions(
  { comparison, dimensions }: Overview,
  most: number = limits.columns,
): readonly Dimension[] {
  return dimensions.filter(({ index }) => index < most || index >= comparison.columns.length)
}

/** The start that all ids share, up to a dash: the name of the experiment, if they have one. */
function commonStart(ids: readonly string[]): string {
  const [first = '', ...rest] = ids
  if (rest.length === 0) return ''
  const starts = [...first.matchAll(/-/g)].map(({ index }) => first.slice(0, index + 1))
  return (
    starts.findLast((start) => rest.every((id) => id.startsWith(start) && id.length > start.length)) ?? ''
  )
}
