import {
  isPluginAttack,
  outcomeAttacks,
  type AttackCurve,
  type ModelOutcomes,
  type NamedAttack,
  type OutcomeRowName,
  type Outcomes,
  type OutcomeSet,
} from '../../experiment/records/outcomes.ts'
import type { Estimate, Measured } from '../../experiment/records/measured.ts'
import { note, type Block } from '../blocks.ts'

/** All test samples: those of classes that are forgotten as a whole are a set of their own. */
export const allTests = ['test', 'forgottenTest'] as const satisfies readonly OutcomeSet[]

/** The outcomes of a row of the results, one entry for each seed that was read. */
export interface OutcomeRow extends OutcomeRowName {
  readonly seeds: readonly (ModelOutcomes | { readonly missing: string })[]
}

export function outcomeRows({ rows, models, missing, read }: Outcomes): readonly OutcomeRow[] {
  return rows.map((row) => ({
    ...row,
    seeds: Array.from({ length: read }, (_, seed) => {
      const isOwn = (one: { readonly label: string; readonly seed: number }) =>
        one.label === row.label && one.seed === seed
      return models.find(isOwn) ?? { missing: missing.find(isOwn)?.reason ?? 'it has no evaluation' }
    }),
  }))
}

/** The models of a row that could be read. */
export function known({ seeds }: OutcomeRow): readonly ModelOutcomes[] {
  return seeds.flatMap((seed) => ('missing' in seed ? [] : [seed]))
}

/** The attacks that have a curve for one of the rows: the built-in ones, then those of plug-ins. */
export function attacksWithCurve(rows: readonly OutcomeRow[]): readonly NamedAttack[] {
  const found = new Set(
    rows.flatMap((row) =>
      known(row).flatMap(({ attacks }) => attacks.flatMap((one) => ('missing' in one ? [] : [one.attack]))),
    ),
  )
  const builtIn = outcomeAttacks.filter((attack) => found.has(attack))
  return [...builtIn, ...[...found].filter(isPluginAttack)]
}

export function curvesOf(row: OutcomeRow, attack: NamedAttack): readonly AttackCurve[] {
  return known(row).flatMap(({ attacks }) =>
    attacks.flatMap((one) => (one.attack === attack && !('missing' in one) ? [one] : [])),
  )
}

/** The area under the curve of each seed. */
export function areasOf({ seeds }: OutcomeRow, attack: NamedAttack): readonly Estimate[] {
  return seeds.map((seed): Estimate => {
    if ('missing' in seed) return seed
    const found = seed.attacks.find((one) => one.attack === attack)
    if (!found) return { missing: 'the model was not attacked this way' }
    if ('missing' in found) return { missing: found.missing }
    return { value: found.auc, ...(found.interval && { interval: found.interval }) }
  })
}

/** The accuracy in percent on the samples of a class in some sets, one entry for each seed. */
export function classAccuracies(
  { seeds }: OutcomeRow,
  sets: readonly OutcomeSet[],
  index: number,
): readonly Measured[] {
  return seeds.map((seed): Measured => {
    if ('missing' in seed) return seed
    const sum = (of: 'samples' | 'correct') =>
      sets.reduce((total, set) => total + (seed.sets[set]?.[of][index] ?? 0), 0)
    const samples = sum('samples')
    return samples > 0
      ? { value: (100 * sum('correct')) / samples }
      : { missing: 'no sample is of this class' }
  })
}

/** The sum over seeds and sets of the counts by true and predicted class. */
export function confusionOf(
  row: OutcomeRow,
  sets: readonly OutcomeSet[],
): readonly (readonly number[])[] | undefined {
  const all = known(row).flatMap((model) =>
    sets.flatMap((set) => {
      const confusion = model.sets[set]?.confusion
      return confusion ? [confusion] : []
    }),
  )
  const [first] = all
  return first?.map((counts, y) =>
    counts.map((_, k) => all.reduce((sum, confusion) => sum + (confusion[y]?.[k] ?? 0), 0)),
  )
}

/** A note if not all seeds were read. */
export function readNote({ seeds, read }: Outcomes): readonly Block[] {
  return read < seeds ? [note(`Of the first ${read} of ${seeds} seeds.`)] : []
}
