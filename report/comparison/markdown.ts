import { metricColumns, type Figure } from '../../experiment/records/results.ts'
import { footnotes, type Footnotes } from '../footnotes.ts'
import { figure, percent, signed, significant, withInterval, withoutSeeds } from '../format.ts'
import { escaped, fenced } from '../markdown-text.ts'
import { decisionWords, rungHeads, rungsOf, rungTexts, whatHalves } from './halving.ts'
import { marksAt, marksNotes } from '../marks.ts'
import { limits } from './limits.ts'
import { comparedMetrics, cutOff, headingOf, leftOutColumns, linesOf, shownDimensions } from './lines.ts'
import type { Overview } from './overview.ts'
import { titleOf } from './title.ts'
import { closestRows, settings, summaryOf } from './summary.ts'
import { entryText, groupText, valueText } from './words.ts'
import { differing } from './differing.ts'

/** The comparison for GitHub. */
export function renderMarkdown(overview: Overview, digest: string): string {
  const { command } = overview.comparison
  const { headline, details } = summaryOf(overview)
  const notes = footnotes()
  const blocks = [
    `# ${escaped(titleOf(overview.comparison))}`,
    `**${escaped(headline)}** ${details.map(escaped).join(' ')}`,
    ...closest(overview, notes),
    ...figures(overview, notes),
    ...halving(overview, notes),
    ...missing(overview),
    ...differences(overview),
    '## Reproduce',
    fenced(command, 'sh'),
    `SHA-256 of what was computed: \`${digest}\`.`,
    ...notes.all().map((reason, i) => `[^${i + 1}]: ${escaped(reason)}`),
  ]
  return `${blocks.join('\n\n')}\n`
}

function closest(overview: Overview, notes: Footnotes): string[] {
  const { groups, of } = closestRows(overview)
  const named = overview.groups.length > 1
  const rows = groups.flatMap(({ group, entries }) =>
    entries.length === 0
      ? [[escaped(groupText(group) ?? ''), 'none has a gap', '', '', '', '']]
      : entries.map((entry) => [
          ...(named ? [escaped(groupText(group) ?? '')] : []),
          escaped(entryText(entry, settings(overview))),
          cell(entry.row.metrics.averageGap, percent, notes),
          cell(entry.outcome.floor, percent, notes),
          entry.above === undefined ? 'n/a' : signed(entry.above),
          cell(entry.row.metrics.rte, significant, notes),
        ]),
  )
  return [
    '## Smallest average gaps',
    table(
      [...(named ? ['Gold of'] : []), '', 'Avg. gap', 'Floor', 'Above the floor', 'RTE'],
      rows,
      named ? 2 : 1,
    ),
    ...(of === undefined ? [] : [`The first ${groups.length} of ${of} golds.`]),
  ]
}

function figures(overview: Overview, notes: Footnotes): string[] {
  const names = comparedMetrics(overview)
  const dimensions = shownDimensions(overview)
  const lines = linesOf(overview, limits.rows)
  const valuesOf = (values: readonly (string | number | boolean | null)[]) =>
    dimensions.map(({ index }) => escaped(valueText(values[index] ?? null)))
  const rows = lines.lines.map((line) => {
    if ('run' in line) {
      const reason = cell({ missing: line.reason }, percent, notes)
      return [runLink(line.run), ...valuesOf(line.run.values), reason, ...names.map(() => '')]
    }
    const { run, row, values, outcome } = line.entry
    return [
      line.best ? `**${runLink(run)}**` : runLink(run),
      ...valuesOf(values),
      ...names.map(
        (name) => `${cell(row.metrics[name], (value) => figure(name, value), notes)}${marksAt(row, name)}`,
      ),
      cell(outcome.floor, percent, notes),
    ]
  })
  return [
    '## All figures',
    table(
      [
        'Run',
        ...dimensions.map(({ name }) => name),
        ...names.map((name) => metricColumns[name].label),
        'Floor',
      ],
      rows,
      1 + dimensions.length,
    ),
    [
      ...marksNotes(overview.entries.map(({ row }) => row)).map(escaped),
      'In bold: the smallest average gap to its gold.',
      `${names.map((name) => `**${escaped(headingOf(name))}**: ${escaped(metricColumns[name].about)}`).join('; ')}; **Floor**: average gap between two gold models.`,
      ...[cutOff(lines), leftOutColumns(overview)].flatMap((words) =>
        words === undefined ? [] : [escaped(words)],
      ),
    ].join(' '),
  ]
}

function halving({ comparison }: Overview, notes: Footnotes): string[] {
  const { halving } = comparison
  if (!halving) return []
  const decisions = halving.decisions.slice(0, limits.listed)
  const { write } = whatHalves(halving)
  return [
    '## Early stopping',
    escaped(whatHalves(halving).words),
    table(
      rungHeads(halving),
      rungsOf(halving).map((rung) => rungTexts(halving, rung)),
      1,
    ),
    table(
      ['Run', ...comparison.columns.map(({ name }) => name), 'Rung', 'Judged by', 'Decision'],
      decisions.map(({ run, values, rung, metric, decision }) => [
        escaped(run),
        ...comparison.columns.map((_, i) => escaped(valueText(values[i] ?? null))),
        String(rung + 1),
        cell(metric, write, notes),
        decisionWords[decision],
      ]),
      1 + comparison.columns.length,
    ),
    ...(halving.decisions.length > decisions.length
      ? [`The first ${decisions.length} of ${halving.decisions.length} decisions; report.json has all.`]
      : []),
  ]
}

function missing({ runs, comparison }: Overview): string[] {
  const gone = runs.flatMap(({ run, missing }) => (missing === undefined ? [] : [{ run, missing }]))
  if (gone.length === 0) return []
  return [
    '## Missing',
    table(
      ['Run', ...comparison.columns.slice(0, limits.columns).map(({ name }) => name), 'Reason'],
      gone
        .slice(0, limits.listed)
        .map(({ run, missing }) => [
          escaped(run.id),
          ...comparison.columns
            .slice(0, limits.columns)
            .map((_, i) => escaped(valueText(run.values[i] ?? null))),
          escaped(missing),
        ]),
      2 + comparison.columns.length,
    ),
    ...(gone.length > limits.listed
      ? [`The first ${limits.listed} of ${gone.length}; results.csv has all.`]
      : []),
  ]
}

function differences(overview: Overview): string[] {
  const columns = differing(overview)
  if (columns.length === 0) return []
  return [
    '## What differs',
    table(
      ['Column', 'In the spec', 'Values'],
      columns.map(({ name, path, values }) => [escaped(name), escaped(path), escaped(values)]),
      3,
    ),
  ]
}

function cell(found: Figure, write: (value: number) => string, notes: Footnotes): string {
  if ('missing' in found) return `n/a[^${notes.number(found.missing)}]`
  const left = withoutSeeds(found)
  return `${withInterval(found, write)}${left === undefined ? '' : `[^${notes.number(left)}]`}`
}

function runLink({ id, link }: { readonly id: string; readonly link?: string }): string {
  // A place in angle brackets may hold anything but these and line breaks.
  return link === undefined
    ? escaped(id)
    : `[${escaped(id)}](<${link.replace(/[<>|\s\\]/g, encodeURIComponent)}>)`
}

/** The first `words` columns are text, the others numbers. */
function table(header: readonly string[], rows: readonly (readonly string[])[], words: number): string {
  const ruler = header.map((_, i) => (i < words ? '---' : '---:'))
  return [header.map(escaped), ruler, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
