import { describeSeeds } from '../describe.ts'
import { footnotes } from '../footnotes.ts'
import { counted } from '../format.ts'
import { html, type Markup } from '../markup.ts'
import {
  probedLayers,
  probedSamples,
  probeFigure,
  probeFigures,
  probeRows,
  probeTables,
  type ProbeFigure,
  type ProbeRow,
} from '../probe.ts'
import type { ReportInput } from '../results.ts'
import { figureOr, footnoteList, type MissingFigures } from './missing.ts'
import { notation } from './notation.ts'

/** Linear probes and CKA, layer by layer; nothing where they were not asked for. */
export function probeSection(input: ReportInput): Markup | undefined {
  const rows = probeRows(input)
  if (!rows) return undefined
  const layers = probedLayers(input)
  const samples = probedSamples(rows)
  const seeds = describeSeeds(input.run.spec)
  return html`<section>
    <h2>What the features still know</h2>
    <p>
      Outputs can forget while features do not. Each column is the output of one layer, of convolutions
      averaged over positions.
      ${samples && `The probes are trained on ${counted(samples.trained, 'sample')} and tested on ${counted(samples.tested, 'forget sample')}; CKA compares ${counted(samples.compared.forget, 'sample')} of each set.`}
      ${seeds && `${seeds}.`}
    </p>
    ${probeFigures.map((name) => figureTable(name, layers, rows))}
  </section>`
}

function figureTable(name: ProbeFigure, layers: readonly string[], rows: readonly ProbeRow[]): Markup {
  const missing = { name: `probe-${name}`, notes: footnotes() }
  const { title, about } = probeTables[name]
  const row = (one: ProbeRow) => tableRow(one, { name, layers, missing })
  return html`<h3>${notation(title)}</h3>
    <p>${about}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="${title}">
      <table>
        <thead>
          <tr>
            <th scope="col">Model</th>
            ${layers.map((layer) => html`<th scope="col">${layer}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.filter(({ isFloor }) => !isFloor).map(row)}
        </tbody>
        <tbody class="floor">
          ${rows.filter(({ isFloor }) => isFloor).map(row)}
        </tbody>
      </table>
    </div>
    ${footnoteList(missing)}`
}

interface Table {
  readonly name: ProbeFigure
  readonly layers: readonly string[]
  readonly missing: MissingFigures
}

function tableRow(row: ProbeRow, { name, layers, missing }: Table): Markup {
  return html`<tr>
    <th scope="row">${row.label}</th>
    ${layers.map((layer) => html`<td>${figureOr(missing, probeFigure(row, name, layer), probeTables[name].write)}</td>`)}
  </tr> `
}
