import { endsOf, metricColumns, type Figure, type MetricName } from '../experiment/records/results.ts'
import { withoutSeeds } from './format.ts'

/** Figures as fields of CSV, in files of runs and of comparisons. */

export const metricNames = Object.keys(metricColumns) as readonly MetricName[]

/** The columns of figures: the value, half of an interval, its ends and the number of seeds. */
export function figureHeads(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => [name, ...['interval', 'low', 'high', 'n'].map((part) => `${name}_${part}`)])
}

export interface NamedFigure {
  readonly name: string
  readonly figure: Figure
}

export function namedFigures<Name extends string>(
  figures: Readonly<Record<Name, Figure>>,
  names: readonly Name[],
): readonly NamedFigure[] {
  return names.map((name) => ({ name, figure: figures[name] }))
}

/** The fields below `figureHeads`. Those of a missing figure are empty. */
export function figureFields(figures: readonly NamedFigure[]): readonly (number | null)[] {
  return figures.flatMap(({ figure }) => valuesOf(figure))
}

function valuesOf(figure: Figure): readonly (number | null)[] {
  if ('missing' in figure) return [null, null, null, null, null]
  const [low = null, high = null] = endsOf(figure) ?? []
  return [figure.value, figure.interval ?? null, low, high, figure.n ?? 1]
}

/** The reasons why figures are missing, or lack seeds. */
export function reasonsField(figures: readonly NamedFigure[]): string {
  const reasons = figures.flatMap(({ name, figure }) => {
    const reason = 'missing' in figure ? figure.missing : withoutSeeds(figure)
    return reason === undefined ? [] : [`${name}: ${reason}`]
  })
  return reasons.join('; ')
}

/** The comment in LaTeX that names the results. */
export function digestRemark(digest: string): string {
  return `SHA-256 of what was computed: ${digest}`
}
