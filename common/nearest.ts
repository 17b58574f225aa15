import { distance } from 'fastest-levenshtein'

/** The known name that a misspelt one most likely stands for, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, slips: slipsBetween(plain(name), plain(candidate)) }))
    .filter(({ candidate, slips }) => slips <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.slips - b.slips)
  return best?.candidate
}

/** `; did you mean "rank"?`, or the names that exist. */
export function suggestion(name: string, known: readonly string[], whole = 'known'): string {
  const near = nearest(name, known)
  return near === undefined ? `; ${whole}: ${known.join(', ')}` : `; did you mean "${near}"?`
}

/** Edits, where letters in another order are one. */
function slipsBetween(a: string, b: string): number {
  const sorted = (text: string) => [...text].sort().join('')
  return sorted(a) === sorted(b) ? Math.min(1, distance(a, b)) : distance(a, b)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '')
}
