import { Footnotes, fullCell, type Cell, type Table } from '../blocks.ts'

/**
 * A table for a paper. Intervals stand behind ± or in brackets, and the figure that ranks the rows
 * is bold in the best row. Marks are explained below the table. `remarks` are comments above it.
 */
export function renderLatex({ columns, rows, notes = [] }: Table, remarks: readonly string[]): string {
  const footnotes = new Footnotes()
  const cellOf = (cell: Cell, isBold: boolean) => {
    const { text, isNumber, interval, note, mark } = fullCell(cell)
    const number = isBold ? `\\mathbf{${mathOf(text)}}` : mathOf(text)
    const shown = isNumber
      ? `$${number}${interval === undefined ? '' : ` ${mathOf(interval)}`}$`
      : latexOf(text)
    const signs = mark === undefined ? '' : superscript(latexOf(mark))
    return `${shown}${signs}${note === undefined ? '' : superscript(String(footnotes.numberOf(note)))}`
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
    ...notes.map((note) => `  \\\\ ${latexOf(note)}`),
    ...footnotes.texts.map((note, i) => `  \\\\ ${superscript(String(i + 1))}\\,${latexOf(note)}`),
    '\\end{table}',
    '',
  ].join('\n')
}

function superscript(text: string): string {
  return `\\textsuperscript{${text}}`
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
      .replace(/[\\{}$&#%_~^<>|−–×†‡§¶]/g, (character) => commands[character] ?? `\\${character}`)
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
  '†': '\\dag{}',
  '‡': '\\ddag{}',
  '§': '\\S{}',
  '¶': '\\P{}',
}
