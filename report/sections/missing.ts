import type { Figure } from '../../experiment/records/results.ts'
import type { Footnotes } from '../footnotes.ts'
import { intervalText, withoutSeeds } from '../format.ts'
import { html, type Content, type Markup } from '../markup.ts'

/** A table's missing figures: `n/a` in the cell, the reason below. `name` tells the table's footnotes from others'. */
export interface MissingFigures {
  readonly name: string
  readonly notes: Footnotes
}

/**
 * A figure, with its interval and a footnote about seeds that lack it where there are several, and what `beside` says of
 * it; or `n/a` and the number of its footnote.
 */
export function figureOr(
  missing: MissingFigures,
  figure: Figure,
  write: (value: number) => string,
  beside: (value: number) => Content = () => undefined,
): Content {
  if ('missing' in figure) return footnoted(missing, 'n/a', figure.missing)
  const { value } = figure
  const interval = intervalText(figure, write)
  const left = withoutSeeds(figure)
  return [
    write(value),
    left !== undefined && footnoted(missing, '', left),
    interval !== undefined && html`<br /><small>${interval}</small>`,
    beside(value),
  ]
}

export function footnoted({ name, notes }: MissingFigures, text: string, reason: string): Markup {
  const number = notes.number(reason)
  return html`<span class="missing"
    >${text}<a href="#${name}-${number}" aria-label="footnote ${number}"><sup>${number}</sup></a></span
  >`
}

export function footnoteList({ name, notes }: MissingFigures): Markup | undefined {
  if (notes.all().length === 0) return undefined
  return html`<ol class="footnotes">
    ${notes.all().map((reason, i) => html`<li id="${name}-${i + 1}">${reason}</li>`)}
  </ol>`
}
