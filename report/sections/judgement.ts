import { footnotes } from '../footnotes.ts'
import { significant } from '../format.ts'
import type { Judgement } from '../judgement/judge.ts'
import { deltaOf, judgementTable, type JudgementCell, type JudgementRow } from '../judgement/table.ts'
import { marks, method, shortVerdict } from '../judgement/words.ts'
import { html, type Markup } from '../markup.ts'
import type { ReportInput } from '../results.ts'
import { footnoted, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

/** The tests of every method beside another gold model; nothing where none could be made. */
export function judgementSection(input: ReportInput, judgement: Judgement): Markup | undefined {
  const table = judgementTable(judgement)
  if (!table) return undefined
  const missing = { name: 'judgement', notes: footnotes() }
  return html`<section>
    <h2>Against another gold model</h2>
    <p>${method(judgement, input)}</p>
    <div class="scroll wide" tabindex="0" role="region" aria-label="Against another gold model">
      <table class="judgement">
        <thead>
          <tr>
            <th scope="col">Method</th>
            <th scope="col" class="text">Verdict</th>
            <th scope="col">Worst<small>δ</small></th>
            ${table.columns.map((criterion) => html`<th scope="col">${notation(criterion.label)}<small>${deltaOf(criterion)}</small></th>`)}
          </tr>
        </thead>
        <tbody>
          ${table.rows.map((row) => judgedRow(row, missing))}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}
    <dl class="legend">
      ${table.columns.map(
        ({ label, about }) =>
          html`<div>
            <dt>${notation(label)}</dt>
            <dd>${about}</dd>
          </div>`,
      )}
    </dl>
  </section>`
}

function judgedRow(row: JudgementRow, missing: MissingFigures): Markup {
  const { label, verdict, isAmongBest, worst, cells } = row
  return html`<tr${isAmongBest && html` class="closest"`}>
<th scope="row">${label}${isAmongBest && html`<small>none closer</small>`}</th>
<td class="text">${shortVerdict(verdict)}</td>
<td>${worst === undefined ? 'n/a' : significant(worst)}</td>
${cells.map((cell) => html`<td${cellClass(cell)}>${cellContent(cell, missing)}</td>`)}</tr>
`
}

function cellClass(cell: JudgementCell): Markup | undefined {
  return 'missing' in cell ? undefined : html` class="${cell.outcome}"`
}

function cellContent(cell: JudgementCell, missing: MissingFigures): Markup {
  return 'missing' in cell
    ? footnoted(missing, 'n/a', cell.missing)
    : html`${marks[cell.outcome]} ${cell.mean}<small>${cell.interval}</small>`
}
