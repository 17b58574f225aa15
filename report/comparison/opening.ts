import { footnotes } from '../footnotes.ts'
import { counted, duration, grouped, percent, signed, significant } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { figureOr, footnoteList } from '../sections/missing.ts'
import type { Overview } from './overview.ts'
import { closestRows, settings, summaryOf } from './summary.ts'
import { titleOf } from './title.ts'
import { entryText, groupText } from './words.ts'

/** What was compared, what came out in plain words, and the rows with the smallest average gaps. */
export function openingSection(overview: Overview): Markup {
  const { comparison, runs, dimensions, entries } = overview
  const { headline, details } = summaryOf(overview)
  const gone = runs.filter(({ missing }) => missing !== undefined)
  const columns = dimensions
    .filter(({ values }) => values.length > 1)
    .map(({ name, values }) => `${name} (${values.length})`)
  const seconds = runs.reduce(
    (sum, { run: { outcome } }) => sum + ('seconds' in outcome ? outcome.seconds : 0),
    0,
  )
  const atFloor = entries.filter(({ above }) => above !== undefined && above <= 0).length
  return html`<header>
      <p class="eyebrow">
        ${comparison.sweep === undefined ? 'Machine unlearning runs side by side' : 'Machine unlearning sweep'}
      </p>
      <h1>${titleOf(comparison)}</h1>
      <p class="lead">
        ${counted(runs.length, 'run')}${columns.length > 0 && `, which differ in ${columns.join(', ')}`}
      </p>
    </header>
    ${
      gone.length > 0 &&
      html`<div class="banner unknown" role="note">
        <p>
          <strong>${gone.length === 1 ? 'One run is' : `${gone.length} runs are`} missing.</strong> The others
          stand without ${gone.length === 1 ? 'it' : 'them'}; <a href="#missing">why</a>.
        </p>
      </div>`
    }
    <section class="verdict" aria-label="Outcome">
      <p class="headline">${headline}</p>
      <dl class="tiles">
        ${tile('Runs that came through', html`${grouped(runs.length - gone.length)} <small>of ${grouped(runs.length)}</small>`)}
        ${tile('Methods compared with gold', html`${grouped(entries.filter(({ gap }) => gap !== undefined).length)} <small>of ${counted(entries.length, 'row')}</small>`)}
        ${tile('Average gap no greater than the floor', html`${grouped(atFloor)} <small>${atFloor === 1 ? 'row' : 'rows'}</small>`)}
        ${tile('Work, had runs shared no stage', duration(seconds))}
      </dl>
      <p>${details.join(' ')}</p>
    </section>
    ${closestTable(overview)}`
}

function tile(term: string, figure: Content): Markup {
  return html`<div>
    <dt>${term}</dt>
    <dd>${figure}</dd>
  </div>`
}

function closestTable(overview: Overview): Content {
  const { groups, of } = closestRows(overview)
  const missing = { name: 'closest', notes: footnotes() }
  const named = overview.groups.length > 1
  return html`<section>
    <h2>Smallest average gaps</h2>
    <p>
      ${named ? 'Runs with the same gold stand together: only these can be compared by their gaps alone. ' : ''}The
      floor is the gap between two gold models of different
      seeds.${of !== undefined && ` The first ${groups.length} of ${of} golds.`}
    </p>
    <div class="scroll" tabindex="0" role="region" aria-label="Smallest average gaps">
      <table>
        <thead>
          <tr>
            ${named && html`<th scope="col">Gold of</th>`}
            <th scope="col" class="text">Row</th>
            <th scope="col" class="key split">Avg. gap<small>points</small></th>
            <th scope="col">Floor<small>points</small></th>
            <th scope="col">Above the floor<small>points</small></th>
            <th scope="col">RTE<small>× retrain</small></th>
            <th scope="col" class="text">Report</th>
          </tr>
        </thead>
        ${groups.map(
          ({ group, entries }) =>
            html`<tbody>
              ${
                entries.length === 0 &&
                html`<tr>
                  ${named && html`<th scope="row">${groupText(group)}</th>`}
                  <td class="text missing" colspan="6">none has a gap</td>
                </tr>`
              }
              ${entries.map(
                (entry, i) =>
                  html`<tr${i === 0 && html` class="closest"`}>
${named && (i === 0 ? html`<th scope="rowgroup" rowspan="${entries.length}">${groupText(group)}</th>` : undefined)}
<td class="text wrap">${entryText(entry, settings(overview))}</td>
<td class="key split">${figureOr(missing, entry.row.metrics.averageGap, percent)}</td>
<td>${figureOr(missing, entry.outcome.floor, percent)}</td>
<td>${entry.above === undefined ? '–' : signed(entry.above)}</td>
<td>${figureOr(missing, entry.row.metrics.rte, significant)}</td>
<td class="text">${entry.run.link === undefined ? '–' : html`<a href="${entry.run.link}">open</a>`}</td></tr>
`,
              )}
            </tbody>`,
        )}
      </table>
    </div>
    ${footnoteList(missing)}
  </section>`
}
