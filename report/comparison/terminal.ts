import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import { figure, percent, withInterval } from '../format.ts'
import { limits } from './limits.ts'
import { linesOf, type Lines } from './lines.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

const metrics = ['averageGap', 'ua', 'ra', 'ta', 'mia', 'rte'] as const satisfies MetricName[]

/** The table for a terminal, a list of cells a line: headings first. `*` marks the smallest average gap to its gold. */
export function terminalRows(overview: Overview): {
  readonly rows: readonly (readonly string[])[]
  readonly lines: Lines
} {
  const lines = linesOf(overview, limits.terminalRows)
  const { columns } = overview.comparison
  const dimensions = overview.dimensions.filter(
    ({ index }) => index < limits.terminalColumns || index >= columns.length,
  )
  const header = [
    'RUN',
    ...dimensions.map(({ name }) => name),
    ...metrics.map((name) => metricColumns[name].label),
    'Floor',
  ]
  const rows = lines.lines.map((line) => {
    const run = 'run' in line ? line.run : line.entry.run
    const values = 'run' in line ? run.values : line.entry.values
    const start = [run.id, ...dimensions.map(({ index }) => valueText(values[index] ?? null))]
    if ('run' in line) return [...start, 'missing']
    const { row, outcome } = line.entry
    const { floor } = outcome
    return [
      ...start,
      ...metrics.map((name) => {
        const found = row.metrics[name]
        if ('missing' in found) return 'n/a'
        const text = withInterval(found, (value) => figure(name, value))
        return name === 'averageGap' && line.best ? `${text} *` : text
      }),
      'value' in floor ? withInterval(floor, percent) : 'n/a',
    ]
  })
  return { rows: [header, ...rows], lines }
}
