import {
  shownMetrics,
  type MetricName,
  type ResultRow,
  type Standing,
} from '../../experiment/records/results.ts'
import { describeSeeds } from '../describe.ts'
import { footnotes } from '../footnotes.ts'
import { figure, percent, signed } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import { markAt, marksNotes, signs } from '../marks.ts'
import { floorRows, forgottenTest, goldFigures, valueOf, type ReportInput } from '../results.ts'
import { legend } from './legend.ts'
import { metricCell, metricHeading } from './metric-column.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'

/** The table of all figures: gold, what is compared with it, and the gap between equals apart. */
export function resultsSection(input: ReportInput, rows: readonly ResultRow[]): Markup {
  const { plan, spec } = input.run
  const names = shownMetrics(spec)
  const several = describeSeeds(spec)
  const seeds =
    several &&
    ` ${several}: each figure is the mean over the seeds, with its interval (± half of it, or both ends where it is not symmetric); each seed is compared with a gold model of its own.`
  const missing = { name: 'results', notes: footnotes() }
  const gold: Partial<ResultRow['metrics']> = goldFigures(input)
  const floor = floorRows(plan, rows)
  const candidates = rows.slice(0, plan.candidates.length)
  const bodyRow = (row: ResultRow) => tableRow(row, { names, gold, missing })

  return html`<section>
    <h2>Results</h2>
    <p>
      Each figure is read against gold, the model that was trained from scratch without the forget set: the
      closer, the better, whichever way it differs. Small figures are points above or below gold.${seeds}
    </p>
    <div class="scroll wide" tabindex="0" role="region" aria-label="Results">
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            ${names.map(metricHeading)}
          </tr>
        </thead>
        <tbody>
          ${candidates.some(({ method }) => method === 'retrain') ? undefined : goldRow({ names, gold, missing })}${candidates.map(bodyRow)}
        </tbody>
        ${
          floor.length > 0 &&
          html`<tbody class="floor">
            <tr class="about">
              <th colspan="${names.length + 1}" scope="rowgroup">
                <span>The floor: two gold models of different seeds differ by this much</span>
              </th>
            </tr>
            ${floor.map(bodyRow)}
          </tbody>`
        }
      </table>
    </div>
    ${marksNotes(rows).map((note) => html`<p class="note">${note}</p>`)} ${footnoteList(missing)}
    ${legend(names)} ${forgottenClasses(input)}
  </section>`
}

/** What TA leaves out. */
function forgottenClasses(input: ReportInput): Markup | undefined {
  const models = forgottenTest(input)
  if (models.length === 0) return undefined
  const missing = { name: 'forgotten', notes: footnotes() }
  return html`<h3>Test samples of the forgotten classes</h3>
    <p>Accuracy on them, in percent. TA leaves them out.</p>
    <dl class="legend">
      ${models.map(
        ({ label, accuracy }) =>
          html`<div>
            <dt>${figureOr(missing, accuracy, percent)}</dt>
            <dd>${label}</dd>
          </div>`,
      )}
    </dl>
    ${footnoteList(missing)}`
}

interface Context {
  readonly names: readonly MetricName[]
  readonly gold: Partial<ResultRow['metrics']>
  readonly missing: MissingFigures
}

function tableRow(row: ResultRow, { names, gold, missing }: Context): Markup {
  return html`<tr${row.standing?.isAmongBest && html` class="closest"`}>
<th scope="row">${row.label}${row.collapsed && ` ${signs.collapsed}`}${row.standing && html`<small>${standingWords(row.standing)}</small>`}</th>
${names.map((name) =>
  metricCell(
    name,
    figureOr(
      missing,
      row.metrics[name],
      (value) => figure(name, value),
      (value) => {
        const reference = gold[name] && valueOf(gold[name])
        const difference =
          reference === undefined ? undefined : html`<small>${signed(value - reference)}</small>`
        return [markAt(row, name), difference]
      },
    ),
    name === 'mia' && row.attackAtChance,
  ),
)}</tr>
`
}

function standingWords({ verdict, isAmongBest }: Standing): string {
  const short = {
    distinguishable: 'told from gold',
    equivalent: 'equivalent within δ',
    undecided: 'undecided',
  }
  return isAmongBest ? `${short[verdict]}; none closer` : short[verdict]
}

/** Gold where the config does not list it as a method: its distances to itself say nothing. */
function goldRow({ names, gold, missing }: Context): Markup {
  return html`<tr>
    <th scope="row">gold</th>
    ${names.map((name) => {
      const measured = gold[name]
      return metricCell(name, measured ? figureOr(missing, measured, (value) => figure(name, value)) : '–')
    })}
  </tr> `
}
