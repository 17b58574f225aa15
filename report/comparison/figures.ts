import type { ComparedRun, ShownValue } from '../../experiment/sweep/comparison.ts'
import type { Figure, MetricName } from '../../experiment/records/results.ts'
import { footnotes } from '../footnotes.ts'
import { figure, percent } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { legend } from '../sections/legend.ts'
import { metricCell, metricHeading } from '../sections/metric-column.ts'
import { marksAt, marksNotes } from '../marks.ts'
import { figureOr, footnoteList, type MissingFigures } from '../sections/missing.ts'
import { limits } from './limits.ts'
import { comparedMetrics, cutOff, leftOutColumns, linesOf, shownDimensions, type Line } from './lines.ts'
import type { Dimension, Overview } from './overview.ts'
import { valueText } from './words.ts'

/** The table of all figures: a line for each method of each run. */
export function figuresSection(overview: Overview): Markup {
  const names = comparedMetrics(overview)
  const dimensions = shownDimensions(overview)
  const lines = linesOf(overview, limits.rows)
  const missing = { name: 'figures', notes: footnotes() }
  const start = commonStart(overview.comparison.runs.map(({ id }) => id))
  const context = { names, dimensions, missing, start }
  const several = overview.entries.some(({ ends }) => ends)
  return html`<section>
    <h2>All figures</h2>
    <p>
      Marked are the rows with the smallest average gap to their
      gold.${several && ' Figures are means over seeds, with 95% intervals: ± half of it, or both ends where it is not symmetric.'}
      ${[cutOff(lines), leftOutColumns(overview)].flatMap((words) => words ?? []).join(' ')}
      ${start !== '' && html`Ids of runs begin with <code>${start}</code>.`}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="All figures">
      <table class="compared">
        <thead>
          <tr>
            <th scope="col">Run</th>
            ${dimensions.map(({ name, numeric }) => html`<th scope="col" ${!numeric && html` class="text"`}>${name}</th>`)}
            ${names.map(metricHeading)}
            <th scope="col" class="split">Floor<small>points</small></th>
          </tr>
        </thead>
        <tbody>
          ${lines.lines.map((line) => lineOf(line, context))}
        </tbody>
      </table>
    </div>
    ${marksNotes(overview.entries.map(({ row }) => row)).map((note) => html`<p class="note">${note}</p>`)}
    ${footnoteList(missing)} ${legend(names)}
  </section>`
}

interface Context {
  readonly names: readonly MetricName[]
  readonly dimensions: readonly Dimension[]
  readonly missing: MissingFigures
  readonly start: string
}

function lineOf(line: Line, { names, dimensions, missing, start }: Context): Markup {
  const values = (all: readonly ShownValue[]) =>
    dimensions.map(
      ({ index, numeric }) =>
        html`<td${!numeric && html` class="text wrap"`}>${valueText(all[index] ?? null)}</td>`,
    )
  if ('run' in line)
    return html`<tr>
      <th scope="row">${nameOf(line.run, start)}</th>
      ${values(line.run.values)}
      <td class="key split">${figureOr(missing, { missing: line.reason }, percent)}</td>
      ${names.map(() => html`<td></td>`)}
    </tr> `
  const { run, row, outcome, values: own } = line.entry
  const cell = (found: Figure, write: (value: number) => string) => figureOr(missing, found, write)
  return html`<tr${line.best && html` class="closest"`}><th scope="row">${nameOf(run, start)}</th>${values(own)}${names.map(
    (name) =>
      metricCell(
        name,
        figureOr(
          missing,
          row.metrics[name],
          (value) => figure(name, value),
          () => marksAt(row, name),
        ),
        name === 'mia' && row.attackAtChance,
      ),
  )}<td class="split">${cell(outcome.floor, percent)}</td></tr>
`
}

function nameOf({ id, link }: ComparedRun, start: string): Content {
  const name = id.slice(start.length)
  return link === undefined ? name : html`<a href="${link}">${name}</a>`
}

/** What all ids begin with, up to a dash: the name of the experiment, where they share one. */
export function commonStart(ids: readonly string[]): string {
  const [first = '', ...rest] = ids
  if (rest.length === 0) return ''
  const starts = [...first.matchAll(/-/g)].map(({ index }) => first.slice(0, index + 1))
  return (
    starts.findLast((start) => rest.every((id) => id.startsWith(start) && id.length > start.length)) ?? ''
  )
}
