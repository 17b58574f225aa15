import Table from 'cli-table3'
import pc from 'picocolors'
import { visible } from '../../common/terminal-text.ts'
import { fullCell, type Cell, type Row, type Table as TableBlock } from '../blocks.ts'

const WIDTH = 100
const GAP = '  '

/** A table for a terminal of 100 columns. Intervals stand below figures, notes below the table. */
export function renderTerminal(
  { columns, rows, notes = [] }: TableBlock,
  options: { readonly colour: boolean },
): string {
  const { bold, green, dim } = pc.createColors(options.colour)
  const plain = (text: string) => text
  const paints = { best: (text: string) => bold(green(text)), floor: dim, missing: plain, total: plain }
  const headings = columns.slice(1).map(({ label }) => label)
  const lines = rows.map((row) => ({
    label: labelOf(row),
    figures: row.cells.slice(1).map(linesOf),
    paints: row.cells.map((cell) =>
      fullCell(cell).tone === 'faint' ? dim : row.style ? paints[row.style] : plain,
    ),
  }))
  const widths = headings.map((head, i) =>
    Math.max(head.length, ...lines.flatMap(({ figures }) => figures[i]?.map(({ length }) => length) ?? [])),
  )
  const left = WIDTH - widths.reduce((sum, width) => sum + GAP.length + width, 0)
  const labelWidth = Math.min(left, Math.max(1, ...lines.map(({ label }) => label.length)))
  const table = new Table({
    chars: { ...noBorders, middle: GAP },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    head: ['', ...headings].map(bold),
    colAligns: ['left', ...headings.map(() => 'right' as const)],
    colWidths: [labelWidth, ...widths],
  })
  for (const { label, figures, paints } of lines)
    table.push(
      [wrapped(label, labelWidth), ...figures].map((cell, i) => cell.map(paints[i] ?? plain).join('\n')),
    )
  const below = [...notes, ...footnotesOf(rows)].flatMap((note) => wrapped(visible(note), WIDTH))
  return [table.toString(), ...below.map(dim)].join('\n')
}

/** The cells of a table as text in one line each, headings first. `*` marks the best figure. */
export function textRows({ columns, rows }: TableBlock): readonly (readonly string[])[] {
  return [
    columns.map(({ label }) => label),
    ...rows.map(({ cells, style }) =>
      cells.map((cell, i) => {
        const { text, interval } = fullCell(cell)
        if (style === 'missing' && text === 'n/a') return 'missing'
        const best = style === 'best' && columns[i]?.key ? ' *' : ''
        return `${text}${interval === undefined ? '' : ` ${interval}`}${best}`
      }),
    ),
  ]
}

function labelOf({ cells: [cell = ''], style }: Row): string {
  const { text, mark } = fullCell(cell)
  return `${style === 'floor' ? 'floor: ' : ''}${text}${mark === undefined ? '' : ` ${mark}`}`
}

/** A figure and its interval. The lower end of an interval with two ends has a line of its own. */
function linesOf(cell: Cell): readonly string[] {
  const { text, mark, interval } = fullCell(cell)
  const ends = interval?.replace(/[()]/g, '').replace(' – ', ' –\n').split('\n') ?? []
  return [`${text}${mark === undefined ? '' : ` ${mark}`}`, ...ends]
}

/** Reasons for missing figures, then the seeds that figures leave out, each once for a row. */
function footnotesOf(rows: readonly Row[]): readonly string[] {
  const notes = (isMissing: boolean) =>
    rows.flatMap(({ cells: [label = '', ...cells] }) => {
      const own = cells.map(fullCell).filter(({ text }) => (text === 'n/a') === isMissing)
      const start = `${isMissing ? 'n/a in ' : ''}${fullCell(label).text}: `
      return [...new Set(own.flatMap(({ note }) => note ?? []))].map((note) => `${start}${note}`)
    })
  return [...notes(true), ...notes(false)]
}

const noBorders = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
  ].map((name) => [name, '']),
)

/** Lines of at most `width` characters, broken between words where that is possible. */
function wrapped(text: string, width: number): readonly string[] {
  const words = text.split(/\s+/).flatMap((word) => word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [])
  return words.reduce<string[]>((lines, word) => {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) return [...lines, word]
    return lines.with(-1, `${last} ${word}`)
  }, [])
}
