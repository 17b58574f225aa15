import { describeSeeds } from '../describe.ts'
import { footnotes } from '../footnotes.ts'
import { html, type Markup } from '../markup.ts'
import { relearnColumns, relearnFigure, relearnFigures, relearnRows, type RelearnRow } from '../relearn.ts'
import type { ReportInput } from '../results.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

/** Relearning time and anamnesis index; nothing where they were not asked for. */
export function relearnSection(input: ReportInput): Markup | undefined {
  const rows = relearnRows(input)
  if (!rows) return undefined
  const missing = { name: 'relearning', notes: footnotes() }
  const seeds = describeSeeds(input.run.spec)
  return html`<section>
    <h2>Learning it again</h2>
    <p>
      Steps of fine-tuning on ${notation('D_f')} alone until accuracy on it is within 5 points of the
      original's. The anamnesis index is those steps over gold's: 1 is gold, and what learns faster still
      remembers. ${seeds && `${seeds}.`}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Learning it again">
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            ${relearnFigures.map((name) => html`<th scope="col">${relearnColumns[name].label}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.filter(({ isFloor }) => !isFloor).map((row) => tableRow(row, missing))}
        </tbody>
        <tbody class="floor">
          ${rows.filter(({ isFloor }) => isFloor).map((row) => tableRow(row, missing))}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}
  </section>`
}

function tableRow(row: RelearnRow, missing: MissingFigures): Markup {
  return html`<tr>
    <th scope="row">${row.label}</th>
    ${relearnFigures.map((name) => html`<td>${figureOr(missing, relearnFigure(row, name), relearnColumns[name].write)}</td>`)}
  </tr> `
}
