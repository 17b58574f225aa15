import { html, type Content, type Markup } from '../markup.ts'
import { differing } from './differing.ts'
import { limits } from './limits.ts'
import type { Overview } from './overview.ts'
import { valueText } from './words.ts'

/** Runs of which there is nothing to compare, and why. */
export function missingSection({ runs, comparison }: Overview): Content {
  const gone = runs.flatMap(({ run, missing }) => (missing === undefined ? [] : [{ run, missing }]))
  if (gone.length === 0) return undefined
  const columns = comparison.columns.slice(0, limits.columns)
  return html`<section id="missing">
    <h2>Missing</h2>
    ${gone.length > limits.listed && html`<p>The first ${limits.listed} of ${gone.length}; results.csv has all.</p>`}
    <div class="scroll" tabindex="0" role="region" aria-label="Missing runs">
      <table>
        <thead>
          <tr>
            <th scope="col">Run</th>
            ${columns.map(({ name }) => html`<th scope="col" class="text">${name}</th>`)}
            <th scope="col" class="text">Reason</th>
          </tr>
        </thead>
        <tbody>
          ${gone.slice(0, limits.listed).map(
            ({ run, missing }) =>
              html`<tr>
                <th scope="row">${run.id}</th>
                ${columns.map((_, i) => html`<td class="text wrap">${valueText(run.values[i] ?? null)}</td>`)}
                <td class="text wrap">${missing}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

/** The columns: what they are in a spec, and their values. */
export function differencesSection(overview: Overview): Content {
  const columns = differing(overview)
  if (columns.length === 0) return undefined
  return html`<section>
    <h2>What differs</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="What differs">
      <table>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col" class="text">In the spec</th>
            <th scope="col" class="text">Values</th>
          </tr>
        </thead>
        <tbody>
          ${columns.map(
            ({ name, path, values }) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td class="text wrap"><code>${path}</code></td>
                <td class="text wrap">${values}</td>
              </tr> `,
          )}
        </tbody>
      </table>
    </div>
  </section>`
}

export function reproduceSection({ comparison: { command, runs } }: Overview, digest: string): Markup {
  const listed = runs.slice(0, limits.listed)
  return html`<section>
    <h2>Reproduce</h2>
    <pre><code>${command}</code></pre>
    <p>
      On the same device and number of threads, the runs give the same bytes and this SHA-256 of what was
      computed:
    </p>
    <pre><code>${digest}</code></pre>
    <details>
      <summary>
        ${
          runs.length > listed.length
            ? `The first ${listed.length} of ${runs.length} runs, each alone; results.csv has all`
            : 'Each run alone'
        }
      </summary>
      <pre><code>${listed.map(({ id, command, outcome }) => `# ${id}${'digest' in outcome ? `: ${outcome.digest}` : ', missing'}\n${command}\n`).join('')}</code></pre>
    </details>
  </section>`
}
