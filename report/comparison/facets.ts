import { limits } from './limits.ts'
import { groupedBy, type Dimension, type Entry, type Overview } from './overview.ts'
import { nameAndValue } from './words.ts'

/** Entries that share a chart. */
export interface Facet {
  readonly title?: string
  /** The entries with a gap. */
  readonly entries: readonly Entry[]
  /** The floor of all entries, if they share one. */
  readonly floor?: number
}

export interface Facets {
  /** The column whose values divide the entries into facets. */
  readonly by?: Dimension
  readonly facets: readonly Facet[]
  /** A sentence about facets that are not drawn. */
  readonly left?: string
}

/** Facets by the first column of words that decides gold, such as the data set. */
export function facetsOf({ dimensions, entries }: Overview): Facets {
  const by = dimensions.find(({ decidesGold, numeric }) => decidesGold && !numeric)
  const known = entries.filter(({ gap }) => gap !== undefined)
  if (!by) return known.length > 0 ? { facets: [facetOf(known)] } : { facets: [] }
  const groups = [...groupedBy(known, ({ values }) => nameAndValue(by, values[by.index] ?? null))]
  const facets = groups.slice(0, limits.facets).map(([title, own]) => ({ title, ...facetOf(own) }))
  return { by, facets, ...leftOf(groups.length, `values of ${by.name}`) }
}

/** Facets by gold. Gaps can be compared only between models with the same gold. */
export function facetsOfGold(
  { groups }: Overview,
  textOf: (group: Overview['groups'][number]) => string | undefined,
): Facets {
  const all = groups.flatMap((group) => {
    if (group.ranked.length === 0) return []
    const title = textOf(group)
    return [{ ...(title !== undefined && { title }), ...facetOf(group.ranked) }]
  })
  return { facets: all.slice(0, limits.facets), ...leftOf(all.length, 'groups with gold of their own') }
}

/** A facet of entries that have a gap. */
export function facetOf(entries: readonly Entry[]): Facet {
  const floors = new Set(
    entries.map(({ outcome: { floor } }) => ('value' in floor ? floor.value : undefined)),
  )
  const [floor] = floors
  return { entries, ...(floors.size === 1 && floor !== undefined && { floor }) }
}

function leftOf(n: number, what: string): { readonly left?: string } {
  return n > limits.facets ? { left: `The first ${limits.facets} of ${n} ${what} are drawn.` } : {}
}
