import { footnotes } from '../footnotes.ts'
import { html, type Content } from '../markup.ts'
import { figureOr, footnoteList } from '../sections/missing.ts'
import { decisionWords, rungHeads, rungsOf, rungTexts, whatHalves } from './halving.ts'
import { limits } from './limits.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

/** Early stopping: every rung, and what became of each run. */
export function stoppingSection({ comparison: { halving, columns } }: Overview): Content {
  if (!halving) return undefined
  const { words, label, write } = whatHalves(halving)
  const missing = { name: 'stopping', notes: footnotes() }
  const decisions = halving.decisions.slice(0, limits.listed)
  const shown = columns.slice(0, limits.columns)
  return html`<section>
    <h2>Early stopping</h2>
    <p>${words}</p>
    <div class="scroll" tabindex="0" role="region" aria-label="Rungs">
      <table class="rungs">
        <thead>
          <tr>
            ${rungHeads(halving).map((head) => html`<th scope="col">${head}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rungsOf(halving).map((rung) => {
            const [first, ...others] = rungTexts(halving, rung)
            return html`<tr>
              <th scope="row">${first}</th>
              ${others.map((text) => html`<td>${text}</td>`)}
            </tr>`
          })}
        </tbody>
      </table>
    </div>
    <details>
      <summary>
        ${
          halving.decisions.length > decisions.length
            ? `The first ${decisions.length} of ${halving.decisions.length} decisions; report.json has all`
            : 'Every decision'
        }
      </summary>
      <div class="scroll" tabindex="0" role="region" aria-label="Decisions">
        <table>
          <thead>
            <tr>
              <th scope="col">Run</th>
              ${shown.map(({ name }) => html`<th scope="col" class="text">${name}</th>`)}
              <th scope="col">Rung</th>
              <th scope="col">${label}</th>
              <th scope="col" class="text">Decision</th>
            </tr>
          </thead>
          <tbody>
            ${decisions.map(
              ({ run, values, rung, metric, decision }) =>
                html`<tr>
                  <th scope="row">${run}</th>
                  ${shown.map((_, i) => html`<td class="text wrap">${valueText(values[i] ?? null)}</td>`)}
                  <td>${rung + 1}</td>
                  <td>${figureOr(missing, metric, write)}</td>
                  <td class="text">${decisionWords[decision]}</td>
                </tr> `,
            )}
          </tbody>
        </table>
      </div>
      ${footnoteList(missing)}
    </details>
  </section>`
}
