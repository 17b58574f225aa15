import { note, type Block } from '../blocks.ts'

interface SeedRow {
  readonly label: string
  /** For each seed its result, or the reason why it is `missing`. */
  readonly seeds: readonly object[]
}

/** A note with the models of some seeds that have no result, and the reasons. */
export function missingSeeds(rows: readonly SeedRow[]): readonly Block[] {
  const missing = rows.flatMap(({ label, seeds }) => {
    const reasons = [...new Set(seeds.flatMap(reasonOf))]
    return reasons.length > 0 ? [`${label}: ${reasons.join('; ')}`] : []
  })
  return missing.length > 0 ? [note(`Missing: ${missing.join('. ')}.`)] : []
}

function reasonOf(seed: object): readonly string[] {
  return 'missing' in seed && typeof seed.missing === 'string' ? [seed.missing] : []
}
