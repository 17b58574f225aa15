import { Footnotes, fullCell, type Cell, type Table } from '../blocks.ts'

/**
 * A table for a paper. Intervals stand behind ± or in brackets, and the figure that ranks the rows
 * is bold in the best row. `remarks` are comments above the table.
 */
export function renderLatex({ columns, rows }: Table, remarks: readonly string[]): string {
  const footnotes = new Footnotes()
  const cellOf = (cell: Cell, isBold: boolean) => {
    const { text, isNumber, interval, note } = fullCell(cell)
    const number = isBold ? `\\mathbf{${mathOf(text)}}` : mathOf(text)
    const shown = isNumber
      ? `$${number}${interval === undefined ? '' : ` ${mathOf(interval)}`}$`
      : latexOf(text)
    return `${shown}${note === undefined ? '' : superscript(footnotes.numberOf(note))}`
  }
  const line = (cells: readonly string[]) => `    ${cells.join(' & ')} \\\\`
  const body = rows.map(({ cells, style }) =>
    line(cells.map((cell, i) => cellOf(cell, style === 'best' && columns[i]?.key === true))),
  )
  return [
    '% \\usepackage{booktabs}',
    ...remarks.map((remark) => `% ${remark}`),
    '\\begin{table}',
    '  \\centering',
    `  \\begin{tabular}{${columns.map(({ text }, i) => (i === 0 || text ? 'l' : 'r')).join('')}}`,
    '    \\toprule',
    line(columns.map(({ label }) => latexOf(label))),
    '    \\midrule',
    ...body,
    '    \\bottomrule',
    '  \\end{tabular}',
    ...footnotes.texts.map((note, i) => `  \\\\ ${superscript(i + 1)}\\,${latexOf(note)}`),
    '\\end{table}',
    '',
  ].join('\n')
}

function superscript(number: number): string {
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
    .replace(/[⁻⁰¹²³⁴-⁹]+/g, (power) => `^{${[...power].map((digit) => powers.get(digit)).join('')}}`)
}

const powers = new Map([...'⁰¹²³⁴⁵⁶⁷⁸⁹⁻'].map((digit, i) => [digit, i === 10 ? '-' : String(i)]))

/** Text in which LaTeX finds no command. */
export function latexOf(text: string): string {
  return (
    text
      .replace(/[\s\p{Cc}]+/gu, ' ')
      .replace(/[\\{}$&#%_~^<>|−–×]/g, (character) => commands[character] ?? `\\${character}`)
      // LaTeX takes these at the start of a row for options of the row before.
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
