import type { EvaluatedSet, Measured } from '../experiment/manifest.ts'
import type { Candidate } from '../experiment/plan.ts'
import { metricColumns, type MetricName, type ResultRow } from '../experiment/results.ts'
import { classifierNames, scoreNames } from '../experiment/spec.ts'
import { stagesOf } from '../experiment/stage-list.ts'
import { footnotes, type Footnotes } from './footnotes.ts'
import { duration, figure, percent, signed } from './format.ts'
import { html, type Content, type Markup } from './markup.ts'
import {
  closest,
  goldFigures,
  floorRows,
  manifestOf,
  stagesBehind,
  whyMissing,
  type ReportInput,
} from './results.ts'

const metricNames = Object.keys(metricColumns) as MetricName[]

/** Every metric of every row; under the four accuracies the signed difference to gold. */
export function metricTable(input: ReportInput, rows: readonly ResultRow[]): Markup {
  const gold: Partial<Record<MetricName, Measured>> = goldFigures(input)
  const begins = (name: MetricName) => name === 'averageGap' || name === 'tow'
  const head = html`<tr>
    <th scope="col">Method</th>
    ${metricNames.map((name) => {
      const { label, unit } = metricColumns[name]
      return html`<th scope="col" ${splitIf(begins(name))}>${label}<small>${unit || '–'}</small></th>`
    })}
  </tr>`
  const { plan } = input.run
  return html`${modelTable(input, rows, 'results', head, metricNames.length, (row, notes) =>
    metricNames.map((name) => {
      const measured = row.metrics[name]
      const reference = gold[name]
      const difference =
        'value' in measured && reference && 'value' in reference
          ? html`<small>${signed(measured.value - reference.value)}</small>`
          : ''
      return html`<td${splitIf(begins(name))}>${shown(measured, 'results', notes, (value) => figure(name, value))}${difference}</td>`
    }),
  )}
  ${floorRows(plan, rows).length > 0 ? '' : html`<p class="note">There is no floor: the run has a single gold model. With gold.models at 2 or more, the gap between gold models is a row here.</p>`}`
}

/** What each column of the metric table means. */
export function legend(): Markup {
  return html`<dl class="legend">
    ${metricNames.map((name) => {
      const { label, about, unit } = metricColumns[name]
      return html`<div>
        <dt>${label}</dt>
        <dd>${about}${unit ? ` (${unit})` : ''}</dd>
      </div>`
    })}
  </dl>`
}

const scoreLabels = {
  correctness: 'correct',
  confidence: 'confidence',
  entropy: 'entropy',
  'modified-entropy': 'mod. entropy',
  loss: 'loss',
} as const
const classifierLabels = { svm: 'Support-vector machine (RBF)', logistic: 'Logistic regression' } as const

/** Attack efficacy by classifier and score; under it the attack's own accuracy. */
export function attackTable(input: ReportInput, rows: readonly ResultRow[]): Markup {
  const head = html`<tr>
      <th></th>
      ${classifierNames.map(
        (classifier) =>
          html`<th class="split text" colspan="${scoreNames.length}" scope="colgroup">
            ${classifierLabels[classifier]}
          </th>`,
      )}
    </tr>
    <tr>
      <th scope="col">Method</th>
      ${classifierNames.map(() =>
        scoreNames.map((score, i) => html`<th scope="col" ${splitIf(i === 0)}>${scoreLabels[score]}</th>`),
      )}
    </tr>`
  const columns = classifierNames.length * scoreNames.length
  return modelTable(input, rows, 'attacks', head, columns, (row, notes) => {
    const candidate = candidateOf(input, rows, row)
    const metrics = manifestOf<'attack'>(input, candidate.attack)?.metrics
    return classifierNames.flatMap((classifier) =>
      scoreNames.map((score, i) => {
        const efficacy = metrics?.efficacy[classifier][score] ?? reasonOf(input, candidate)
        const accuracy = metrics?.accuracy[classifier][score]
        return html`<td${splitIf(i === 0)}>${shown(efficacy, 'attacks', notes)}${accuracy && html`<small>${shown(accuracy, 'attacks', notes)}</small>`}</td>`
      }),
    )
  })
}

const sets = [
  ['retained', 'D_r', 'retained'],
  ['forget', 'D_f', 'to forget'],
  ['test', 'D_t', 'test'],
  ['attackTest', 'attack half', 'of the test samples'],
  ['forgottenTest', 'forgotten test', 'test, forgotten classes'],
  ['validation', 'validation', 'held out'],
] as const satisfies (readonly [EvaluatedSet, string, string])[]

/** Accuracy in percent of every model on every set that is not empty. */
export function accuracyTable(input: ReportInput, rows: readonly ResultRow[]): Markup {
  const sizes = manifestOf<'split'>(input, input.run.plan.split)?.metrics
  const filled = sets.filter(([set]) => sizes?.[set] !== 0)
  const head = html`<tr>
    <th scope="col">Method</th>
    ${filled.map(([, label, about]) => html`<th scope="col">${label}<small>${about}</small></th>`)}
  </tr>`
  return modelTable(input, rows, 'accuracies', head, filled.length, (row, notes) => {
    const candidate = candidateOf(input, rows, row)
    const accuracy = manifestOf<'evaluate'>(input, candidate.evaluate)?.metrics.accuracy
    return filled.map(
      ([set]) => html`<td>${shown(accuracy?.[set] ?? reasonOf(input, candidate), 'accuracies', notes)}</td>`,
    )
  })
}

/** Every stage with its wall seconds and the beginning of its key. */
export function stageTable(input: ReportInput): Markup {
  const notes = footnotes()
  const stages = stagesOf(input.run.plan)
  const total = stages.reduce((sum, { key }) => sum + (input.manifests[key]?.clock.seconds ?? 0), 0)
  const lines = stages.map((stage) => {
    const { key, kind, title } = stage
    const manifest = input.manifests[key]
    const time = manifest
      ? duration(manifest.clock.seconds)
      : absent(whyMissing(input, [stage]), 'stages', notes)
    return html`<tr>
      <th scope="row">${title}</th>
      <td class="text">${kind}</td>
      <td>${time}</td>
      <td><code title="${key}">${key.slice(0, 12)}</code></td>
    </tr> `
  })
  return html`<div class="scroll">
      <table>
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th class="text" scope="col">Kind</th>
            <th scope="col">Time</th>
            <th scope="col">Key</th>
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">all, added up</th>
            <td></td>
            <td>${duration(total)}</td>
            <td></td>
          </tr>
        </tfoot>
      </table>
    </div>
    ${footnoteList('stages', notes)}`
}

/** A table with a line for each row, gold against gold apart. `columns` does not count the labels'. */
function modelTable(
  input: ReportInput,
  rows: readonly ResultRow[],
  name: string,
  head: Markup,
  columns: number,
  cells: (row: ResultRow, notes: Footnotes) => readonly Markup[],
): Markup {
  const notes = footnotes()
  const best = closest(rows)
  const line = (row: ResultRow) =>
    html`<tr${row === best ? html` class="closest"` : ''}><th scope="row">${row.label}</th>${cells(row, notes)}</tr>
`
  const { plan } = input.run
  const methods = rows.slice(0, plan.candidates.length).map(line)
  const floor = floorRows(plan, rows).map(line)
  return html`<div class="scroll">
      <table>
        <thead>
          ${head}
        </thead>
        <tbody>
          ${methods}
        </tbody>
        ${
          floor.length > 0
            ? html`<tbody class="floor">
                <tr class="about">
                  <th colspan="${columns + 1}" scope="rowgroup">
                    <span>Floor: two gold models of different seeds differ by this much</span>
                  </th>
                </tr>
                ${floor}
              </tbody>`
            : ''
        }
      </table>
    </div>
    ${footnoteList(name, notes)}`
}

/** Rows stand in the order of the plan. */
function candidateOf({ run: { plan } }: ReportInput, rows: readonly ResultRow[], row: ResultRow): Candidate {
  const candidate = [...plan.candidates, ...plan.floor][rows.indexOf(row)]
  if (!candidate) throw new RangeError(`the row "${row.label}" is not of this run`)
  return candidate
}

function reasonOf(input: ReportInput, candidate: Candidate): Measured {
  return { missing: whyMissing(input, stagesBehind(input.run.plan, candidate)) }
}

function splitIf(begins: boolean): Content {
  return begins ? html` class="split"` : ''
}

function shown(
  measured: Measured,
  table: string,
  notes: Footnotes,
  show: (value: number) => string = percent,
): Content {
  return 'value' in measured ? show(measured.value) : absent(measured.missing, table, notes)
}

function absent(reason: string, table: string, notes: Footnotes): Markup {
  const number = notes.number(reason)
  return html`<span class="missing"
    >n/a<sup><a href="#${table}-${number}">${number}</a></sup></span
  >`
}

function footnoteList(table: string, notes: Footnotes): Content {
  return notes.all().length > 0
    ? html`<ol class="footnotes">
        ${notes.all().map((reason, i) => html`<li id="${table}-${i + 1}">${reason}</li>`)}
      </ol>`
    : ''
}
