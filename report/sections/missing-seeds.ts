import { note, type Block } from '../blocks.ts'

/** A note with the models of some seeds that have no result, and the reasons. */
export function missingSeeds(
  rows: readonly {
    readonly label: string
    readonly seeds: readonly (object | { readonly missing: string })[]
  }[],
): readonly Block[] {
  const missing = rows.flatMap(({ label, seeds }) => {
    const reasons = seeds.flatMap((seed) => ('missing' in seed ? [seed.missing] : []))
    return reasons.length > 0 ? [`${label}: ${[...new Set(reasons)].join('; ')}`] : []
  })
  return missing.length > 0 ? [note(`Missing: ${missing.join('. ')}.`)] : []
}
