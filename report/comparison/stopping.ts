import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import type { ComparedHalving, HalvingDecision } from '../../experiment/sweep/comparison.ts'
import { figureCell, prose, type Row, type Section } from '../blocks.ts'
import { figure, significant } from '../format.ts'
import { grouped } from '../../common/counted.ts'
import { limits } from './limits.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

const decisionWords = {
  promoted: 'went on',
  stopped: 'stopped',
  ended: 'at the end',
} as const satisfies Record<HalvingDecision['decision'], string>

/** Early stopping: every rung, and the decision on each run; undefined if there was none. */
export function stoppingSection({ comparison: { halving, columns } }: Overview): Section | undefined {
  if (!halving) return undefined
  const { metric, factor, resource, rungs, decisions } = halving
  const name = (Object.keys(metricColumns) as MetricName[]).find((known) => known === metric)
  const label = name ? metricColumns[name].label : metric
  const write = name ? (value: number) => figure(name, value) : significant
  const listed = decisions.slice(0, limits.listed)
  const shown = columns.slice(0, limits.columns)
  const heads = ['Judged', 'Went on', 'Stopped', 'At the end', 'Without a figure']
  const bounds = [`Best ${label}`, 'Worst that went on', 'Best that was stopped']
  return {
    title: 'Early stopping',
    blocks: [
      prose(
        `Runs were given ${resource} ${rungs.join(', ')}. At each rung but the last, the best 1 in ${factor} by ${label} went on (lower is better); the others were stopped.`,
      ),
      {
        kind: 'table',
        name: 'Rungs',
        id: 'rungs',
        columns: ['Rung', resource, ...heads, ...bounds].map((head) => ({ label: head })),
        rows: rungs.map((_, rung) => rungRow(halving, rung, write)),
      },
      {
        kind: 'details',
        summary:
          decisions.length > listed.length
            ? `The first ${listed.length} of ${decisions.length} decisions; report.json has all`
            : 'Every decision',
        blocks: [
          {
            kind: 'table',
            name: 'Decisions',
            id: 'stopping',
            columns: [
              { label: 'Run' },
              ...shown.map(({ name }) => ({ label: name, text: true })),
              { label: 'Rung' },
              { label },
              { label: 'Decision', text: true },
            ],
            rows: listed.map(({ run, values, rung, metric, decision }) => ({
              cells: [
                run,
                ...shown.map((_, i) => valueText(values[i] ?? null)),
                String(rung + 1),
                figureCell(metric, write),
                decisionWords[decision],
              ],
            })),
          },
        ],
      },
    ],
  }
}

/** The counts of the decisions at one rung, and the figures at their bounds. */
function rungRow({ rungs, decisions }: ComparedHalving, rung: number, write: (value: number) => string): Row {
  const here = decisions.filter((decision) => decision.rung === rung)
  const of = (kind: HalvingDecision['decision']) => here.filter(({ decision }) => decision === kind)
  const figuresOf = (some: readonly HalvingDecision[]) =>
    some.flatMap(({ metric }) => ('value' in metric ? [metric.value] : []))
  const bound = (some: readonly HalvingDecision[], choose: (...values: number[]) => number) => {
    const figures = figuresOf(some)
    return figures.length === 0 ? '–' : write(choose(...figures))
  }
  const kinds = [of('promoted'), of('stopped'), of('ended')]
  const missing = here.length - figuresOf(here).length
  return {
    cells: [
      String(rung + 1),
      String(rungs[rung]),
      ...[here.length, ...kinds.map(({ length }) => length), missing].map(grouped),
      bound(here, Math.min),
      bound(of('promoted'), Math.max),
      bound(of('stopped'), Math.min),
    ],
  }
}
