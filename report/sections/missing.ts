import type { Measured } from '../../experiment/manifest.ts'
import type { Footnotes } from '../footnotes.ts'
import { html, type Content, type Markup } from '../markup.ts'

/** A table's missing figures: `n/a` in the cell, the reason below. `name` tells the table's footnotes from others'. */
export interface MissingFigures {
  readonly name: string
  readonly notes: Footnotes
}

/** What to show of a figure, or `n/a` and the number of its footnote. */
export function figureOr(
  { name, notes }: MissingFigures,
  measured: Measured,
  show: (value: number) => Content,
): Content {
  if ('value' in measured) return show(measured.value)
  const number = notes.number(measured.missing)
  return html`<span class="missing"
    >n/a<a href="#${name}-${number}" aria-label="footnote ${number}"><sup>${number}</sup></a></span
  >`
}

export function footnoteList({ name, notes }: MissingFigures): Markup | undefined {
  if (notes.all().length === 0) return undefined
  return html`<ol class="footnotes">
    ${notes.all().map((reason, i) => html`<li id="${name}-${i + 1}">${reason}</li>`)}
  </ol>`
}
