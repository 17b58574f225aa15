import type { Figure, MethodVerdict, ResultRow } from '../../experiment/records/results.ts'
import { describeSeeds, describeSplit } from '../describe.ts'
import { intervalText, percent } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { checkOracle, type OracleCheck } from '../oracle.ts'
import type { Judgement } from '../judgement/judge.ts'
import { floorGap, lowestGap, type ReportInput } from '../results.ts'
import { verdict } from '../verdict.ts'
import { notation } from './notation.ts'

/** Title, what is wrong if anything is, and the outcome in plain words. */
export function openingSection(input: ReportInput, rows: readonly ResultRow[], judgement: Judgement): Markup {
  const { failed } = input
  const { facts, spec } = input.run
  const { headline, details } = verdict(input, rows, judgement)
  const oracle = checkOracle(input)
  const several = describeSeeds(spec)
  const seeds = several && `; ${several}`
  return html`<header>
      <p class="eyebrow">Machine unlearning experiment</p>
      <h1>${spec.name}</h1>
      <p class="lead">
        ${facts.name}, ${spec.model.name}: forgetting ${describeSplit(spec.split, facts)}${seeds}
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
      <dl class="tiles">${tiles(input, rows, judgement)}</dl>
      ${
        details.length > 0 &&
        html`<ul class="findings">
          ${details.map((words) => html`<li>${notation(words)}</li>`)}
        </ul>`
      }
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

function tiles(input: ReportInput, rows: readonly ResultRow[], judgement: Judgement): Content {
  const original = rows.find(({ method }) => method === 'original')
  const points = (figure: Figure | undefined) => sized(figure, percent, 'points')
  return [
    ...(judgement.methods.length === 0
      ? [tile('Smallest average gap, not tested', points(lowestGap(rows)?.metrics.averageGap))]
      : verdictTiles(judgement)),
    tile('Floor: gap between two gold models', points(floorGap(input))),
    original && tile('Gap of the original model', points(original.metrics.averageGap)),
  ]
}

/** How many methods came out how. */
function verdictTiles({ methods }: Judgement): readonly Content[] {
  const count = (verdict: MethodVerdict) => methods.filter((method) => method.verdict === verdict).length
  return [
    tile(
      'Equivalent to another gold model within δ',
      html`${count('equivalent')} <small>of ${methods.length}</small>`,
    ),
    tile('Distinguishable from gold', html`${count('distinguishable')} <small>of ${methods.length}</small>`),
  ]
}

/** A figure in large, its interval and its unit in small. */
function sized(figure: Figure | undefined, write: (value: number) => string, unit: string): Content {
  if (!figure || 'missing' in figure) return 'n/a'
  const interval = intervalText(figure, write)
  return html`${write(figure.value)} <small>${interval && `${interval} `}${unit}</small>`
}

function tile(term: string, figure: Content): Markup {
  return html`<div>
    <dt>${term}</dt>
    <dd>${figure}</dd>
  </div>`
}
