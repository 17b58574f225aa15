import { distance } from 'fastest-levenshtein'

/** The known name that is most similar to a misspelt one, if any is similar enough. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((candidate) => ({ candidate, edits: editsBetween(plain(name), plain(candidate)) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.edits - b.edits)
  return best?.candidate
}

/** The end of a message: `; did you mean "rank"?`, or the list of known names. */
export function suggestion(name: string, known: readonly string[], whole = 'known'): string {
  const near = nearest(name, known)
  return near === undefined ? `; ${whole}: ${known.join(', ')}` : `; did you mean "${near}"?`
}

/** The number of edits between two names. Letters in another order count as one edit. */
function editsBetween(a: string, b: string): number {
  const sorted = (text: string) => [...text].sort().join('')
  return sorted(a) === sorted(b) ? Math.min(1, distance(a, b)) : distance(a, b)
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, '')
}
