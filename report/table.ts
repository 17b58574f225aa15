import Table from 'cli-table3'
import pc from 'picocolors'
import { metricColumns, type MetricName, type ResultRow } from '../experiment/records/results.ts'
import { oneLine, visible } from '../common/terminal-text.ts'
import { describeSeeds } from './describe.ts'
import { figure, intervalText, withoutSeeds } from './format.ts'
import { marks } from './judgement/words.ts'
import { markAt, marksNotes, signs } from './marks.ts'
import { isApproximate, missingReasons } from './results.ts'

const WIDTH = 100
const GAP = '  '
const columns = [
  'ra',
  'ua',
  'ta',
  'mia',
  'averageGap',
  'gapWithoutMia',
  'activationForget',
  'rte',
] as const satisfies MetricName[]

/** The results for a terminal of 100 columns: what tests say is marked, gaps between golds are named so. */
export function renderTable(given: readonly ResultRow[], options: { readonly colour: boolean }): string {
  const { bold, green, dim } = pc.createColors(options.colour)
  // Control characters are written out before anything is measured.
  const rows = given.map((row) => ({ ...row, label: oneLine(row.label) }))
  const headings = columns.map(heading)
  const lines = rows.map((row) => ({
    label: `${isFloor(row) ? 'floor: ' : ''}${row.label}${row.collapsed ? ` ${signs.collapsed}` : ''}${standingMark(row)}`,
    figures: columns.map((name) => {
      const found = row.metrics[name]
      if ('missing' in found) return ['n/a']
      // Beside each other, a figure and its interval would take twice the width that there is.
      const write = (value: number) => figure(name, value)
      // The lower end of an interval that is not symmetric ends its line with a dash.
      const interval = intervalText(found, write)?.replace(/[()]/g, '').replace(' – ', ' –\n')
      return [`${write(found.value)}${markAt(row, name)}`, interval?.split('\n') ?? []].flat()
    }),
    // An attack at chance says nothing.
    paintAt: (name: MetricName) => (name === 'mia' && row.attackAtChance ? dim : undefined),
    paint: row.standing?.isAmongBest
      ? (text: string) => bold(green(text))
      : isFloor(row)
        ? dim
        : (text: string) => text,
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
    colAligns: ['left', ...columns.map(() => 'right' as const)],
    colWidths: [labelWidth, ...widths],
  })
  for (const { label, figures, paint, paintAt } of lines) {
    const cells = figures.map((cell, i) => cell.map(paintAt(columns[i] ?? 'ra') ?? paint))
    table.push([wrapped(label, labelWidth).map(paint), ...cells].map((cell) => cell.join('\n')))
  }

  const seeds = describeSeeds({ seeds: seedsIn(rows) })
  const notes = [
    ...standingNotes(rows),
    ...(seeds === undefined ? [] : [seeds]),
    ...marksNotes(rows),
    ...rows.flatMap((row) => missingReasons(row, columns).map((reason) => `n/a in ${row.label}: ${reason}`)),
    ...rows.flatMap((row) => {
      const left = columns.flatMap((name) => withoutSeeds(row.metrics[name]) ?? [])
      return [...new Set(left)].map((words) => `${row.label}: ${words}`)
    }),
  ]
  return [table.toString(), ...notes.flatMap((note) => wrapped(visible(note), WIDTH)).map(dim)].join('\n')
}

function standingMark({ standing }: ResultRow): string {
  return standing ? ` ${marks[standing.verdict]}${standing.isAmongBest ? '*' : ''}` : ''
}

function standingNotes(rows: readonly ResultRow[]): readonly string[] {
  if (rows.some(({ standing }) => standing))
    return [
      `${marks.equivalent} equivalent to another gold model within δ, ${marks.distinguishable} told from gold, ${marks.undecided} undecided; * no method is closer by the tests`,
    ]
  if (!rows.some(isApproximate)) return []
  return [
    seedsIn(rows) === undefined
      ? 'With one seed no method is tested against gold; with several (seeds: 8) each is, beside another gold model.'
      : 'No method was tested against gold: the report says why.',
  ]
}

/** Further gold models come as `retrain, seed 2`, of several seeds as `retrain, gold 2`; a config's labels hold no comma. */
function isFloor({ label, method }: ResultRow): boolean {
  return method === 'retrain' && /, (seed|gold) /.test(label)
}

/** How many seeds there were; undefined of a single one. */
function seedsIn(rows: readonly ResultRow[]): number | undefined {
  const counts = rows
    .flatMap(({ metrics }) => Object.values(metrics))
    .map((found) => ('n' in found ? (found.n ?? 1) + (found.leftOut?.length ?? 0) : 1))
  const most = Math.max(1, ...counts)
  return most > 1 ? most : undefined
}

function heading(name: MetricName): string {
  switch (name) {
    case 'averageGap':
      return 'Avg.gap'
    case 'gapWithoutMia':
      return 'w/o MIA'
    case 'activationForget':
      return 'AD'
    default:
      return metricColumns[name].label
  }
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
