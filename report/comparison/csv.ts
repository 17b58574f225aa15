import type { ShownValue } from '../../experiment/sweep/comparison.ts'
import { endsOf, metricColumns, type Figure, type MetricName } from '../../experiment/records/results.ts'
import { withoutSeeds } from '../format.ts'
import type { Overview } from './overview.ts'

const metrics = Object.keys(metricColumns) as MetricName[]
const figureHeads = [...metrics, 'floor'].flatMap((name) => [
  name,
  `${name}_interval`,
  `${name}_low`,
  `${name}_high`,
  `${name}_n`,
])
const heads = {
  first: ['run'],
  after: ['label', 'method', ...figureHeads, 'seconds', 'missing', 'digest', 'command'],
}

/** `results.csv` (RFC 4180): a line for each method of each run, and for each run without one; all digits of figures, and no formulas. */
export function renderCsv({ comparison: { columns }, runs }: Overview): string {
  const reserved = [...heads.first, ...heads.after]
  const header = [
    ...heads.first,
    // A column may have the name of a figure.
    ...columns.map(({ name, path }) => (reserved.includes(name) ? `spec:${path}` : name)),
    ...heads.after,
  ]
  const lines = runs.flatMap(({ run, entries, missing }) => {
    const start = [run.id, ...columns.map((_, i) => run.values[i] ?? null)]
    if (missing !== undefined)
      return [[...start, null, null, ...figureHeads.map(() => null), null, missing, null, run.command]]
    return entries.map(({ row, outcome }) => {
      const figures = [
        ...metrics.map((name) => ({ name, figure: row.metrics[name] })),
        { name: 'floor', figure: outcome.floor },
      ]
      return [
        ...start,
        row.label,
        row.method,
        ...figures.flatMap(({ figure }) => cells(figure)),
        outcome.seconds,
        figures.flatMap(({ name, figure }) => reasonOf(name, figure) ?? []).join('; '),
        outcome.digest,
        run.command,
      ]
    })
  })
  return [header, ...lines].map((line) => `${line.map(field).join(',')}\r\n`).join('')
}

/**
 * A figure, half of its interval where that is symmetric, the ends of it, and of how many seeds it
 * is.
 */
function cells(figure: Figure): readonly (number | null)[] {
  if ('missing' in figure) return [null, null, null, null, null]
  const [low = null, high = null] = endsOf(figure) ?? []
  return [figure.value, figure.interval ?? null, low, high, figure.n ?? 1]
}

function reasonOf(name: string, figure: Figure): string | undefined {
  const reason = 'missing' in figure ? figure.missing : withoutSeeds(figure)
  return reason === undefined ? undefined : `${name}: ${reason}`
}

function field(value: ShownValue): string {
  const text = value === null ? '' : typeof value === 'string' ? asText(value) : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A spreadsheet takes text that begins so for a formula, and calculates it; with an apostrophe before it, it does not. */
function asText(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
}
