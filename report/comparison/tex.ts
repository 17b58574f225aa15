import { metricColumns } from '../../experiment/records/results.ts'
import { footnotes } from '../footnotes.ts'
import { figure, percent, intervalText, withoutSeeds } from '../format.ts'
import { limits } from './limits.ts'
import { comparedMetrics, cutOff, linesOf, shownDimensions } from './lines.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'
import type { Figure } from '../../experiment/records/results.ts'

/**
 * `results.tex`: the table of all figures for a paper, intervals behind ± or in brackets, the
 * smallest average gap of each gold in bold.
 */
export function renderTex(overview: Overview, digest: string): string {
  const names = comparedMetrics(overview)
  const dimensions = shownDimensions(overview)
  const notes = footnotes()
  const table = linesOf(overview, limits.texRows)
  const cut = cutOff(table)
  const cell = (found: Figure, write: (value: number) => string, bold = false) => {
    if ('missing' in found) return `n/a${mark(notes.number(found.missing))}`
    const left = withoutSeeds(found)
    const number = mathOf(write(found.value))
    const interval = intervalText(found, write)
    return `$${bold ? `\\mathbf{${number}}` : number}${interval === undefined ? '' : ` ${mathOf(interval)}`}$${left === undefined ? '' : mark(notes.number(left))}`
  }
  const body = table.lines.map((line) => {
    if ('run' in line)
      return [
        ...dimensions.map(({ index }) => texOf(valueText(line.run.values[index] ?? null))),
        cell({ missing: line.reason }, percent),
        ...names.map(() => ''),
      ]
    const { row, outcome, values } = line.entry
    return [
      ...dimensions.map(({ index }) => texOf(valueText(values[index] ?? null))),
      ...names.map((name) =>
        cell(row.metrics[name], (value) => figure(name, value), name === 'averageGap' && line.best),
      ),
      cell(outcome.floor, percent),
    ]
  })
  // Without a column in which runs differ, a row needs a name still.
  const named = dimensions.length > 0
  const rows = named
    ? body
    : body.map((cells, i) => {
        const line = table.lines[i]
        return [texOf(line === undefined ? '' : 'run' in line ? line.run.id : line.entry.run.id), ...cells]
      })
  const header = [
    ...(named ? dimensions.map(({ name }) => texOf(name)) : ['run']),
    ...names.map((name) => texOf(metricColumns[name].label)),
    'Floor',
  ]
  const row = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`
  return [
    '% \\usepackage{booktabs}',
    `% SHA-256 of what was computed: ${digest}`,
    ...(cut === undefined ? [] : [`% ${cut}`]),
    '\\begin{table}',
    '  \\centering',
    `  \\begin{tabular}{${(named ? dimensions : ['run']).map(() => 'l').join('')}${names.map(() => 'r').join('')}r}`,
    '    \\toprule',
    row(header),
    '    \\midrule',
    ...rows.map(row),
    '    \\bottomrule',
    '  \\end{tabular}',
    ...notes.all().map((reason, i) => `  \\\\ ${mark(i + 1)}\\,${texOf(reason)}`),
    '\\end{table}',
    '',
  ].join('\n')
}

function mark(number: number): string {
  return `\\textsuperscript{${number}}`
}

/** A number as report/format.ts writes it, for maths mode. */
function mathOf(text: string): string {
  return text
    .replaceAll('−', '-')
    .replaceAll('±', '\\pm')
    .replaceAll('×', '\\times')
    .replaceAll(',', '{,}')
    .replace(' – ', ',\\ ')
    .replace(
      /[⁻⁰¹²³⁴-⁹]+/g,
      (power) =>
        `^{${[...power]
          .map((digit) => digits.indexOf(digit))
          .map((i) => (i === 10 ? '-' : i))
          .join('')}}`,
    )
}

const digits = [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁻']

/** Text in which LaTeX finds no command. */
export function texOf(text: string): string {
  return (
    text
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/[\\{}$&#%_~^<>|−–×]/g, (character) => commands[character] ?? `\\${character}`)
      // After the end of a row these would belong to it.
      .replace(/^ ?[[*]/, (start) => `{${start}}`)
  )
}

const commands: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '|': '\\textbar{}',
  '−': '$-$',
  '–': '--',
  '×': '$\\times$',
}
