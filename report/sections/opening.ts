import type { Measured } from '../../experiment/manifest.ts'
import type { ResultRow } from '../../experiment/results.ts'
import { describeSplit } from '../describe.ts'
import { percent, significant } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { checkOracle, type OracleCheck } from '../oracle.ts'
import { closest, floorGap, valueOf, type ReportInput } from '../results.ts'
import { verdict } from '../verdict.ts'

/** Title, what is wrong if anything is, and the outcome in plain words. */
export function openingSection(input: ReportInput, rows: readonly ResultRow[]): Markup {
  const { run, failed } = input
  const { headline, details } = verdict(input, rows)
  const oracle = checkOracle(input)
  return html`<header>
      <p class="eyebrow">Machine unlearning experiment</p>
      <h1>${run.spec.name}</h1>
      <p class="lead">
        ${run.facts.name}, ${run.spec.model.name}: forgetting ${describeSplit(run.spec.split, run.facts)}
      </p>
    </header>
    ${banner(oracle)}
    ${
      failed.length > 0 &&
      html`<div class="banner unknown" role="note">
        <p>
          <strong>${failed.length === 1 ? 'One stage' : `${failed.length} stages`} failed.</strong> The rest
          of the report stands without ${failed.length === 1 ? 'it' : 'them'}.
        </p>
        <ul>
          ${failed.map(({ title, reason }) => html`<li>${title}: ${reason}</li>`)}
        </ul>
      </div>`
    }
    <section class="verdict" aria-label="Outcome">
      <p class="headline">${headline}</p>
      <dl class="tiles">${tiles(input, rows)}</dl>
      ${details.length > 0 && html`<p>${details.join(' ')}</p>`}
      ${oracle.passed === true && html`<p class="note">Oracle check passed. ${oracle.message}</p>`}
    </section>`
}

function banner({ passed, message }: OracleCheck): Content {
  switch (passed) {
    case true:
      return undefined
    case false:
      return html`<div class="banner" role="alert">
        <p><strong>Gold does not look like gold.</strong> ${message}</p>
      </div>`
    case undefined:
      return html`<div class="banner unknown" role="note">
        <p><strong>Gold was not checked.</strong> ${message}</p>
      </div>`
  }
}

function tiles({ run }: ReportInput, rows: readonly ResultRow[]): Content {
  const best = closest(rows)
  const original = rows.find(({ method }) => method === 'original')
  const floor = floorGap(run.plan, rows)
  const points = (measured: Measured | undefined) => {
    const value = measured && valueOf(measured)
    return value === undefined ? 'n/a' : html`${percent(value)} <small>points</small>`
  }
  const time = best && valueOf(best.metrics.rte)
  return [
    tile('Average gap to gold, closest method', points(best?.metrics.averageGap)),
    tile('Floor: gap between two gold models', points(floor === undefined ? undefined : { value: floor })),
    original && tile('Gap of the original model', points(original.metrics.averageGap)),
    tile(
      'Its time, retraining being 1',
      time === undefined ? 'n/a' : html`${significant(time)} <small>×</small>`,
    ),
  ]
}

function tile(term: string, figure: Content): Markup {
  return html`<div>
    <dt>${term}</dt>
    <dd>${figure}</dd>
  </div>`
}
