import { html, type Content } from '../markup.ts'

/** Sets the subscripts of D_r, D_f and D_t. */
export function notation(text: string): Content {
  return text
    .split(/\b(D_[rft])\b/)
    .map((part) => (/^D_[rft]$/.test(part) ? html`<var>D</var><sub>${part.slice(2)}</sub>` : part))
}
