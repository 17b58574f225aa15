import { counted } from '../../common/counted.ts'
import { OWN } from '../records/described-figures.ts'
import type { EvaluatedSet, Measured } from '../records/measured.ts'
import { setNames } from '../records/set-names.ts'
import type { Schemas } from '../spec/schemas.ts'
import { defineRequestedStage } from './requested-definition.ts'

function section({ z }: Schemas) {
  return z
    .strictObject({})
    .describe(
      "compare the margin of every sample with gold's by rank correlation and variance ratio; not done unless given",
    )
}

/** The sets on which the margins of a model are compared with gold's. */
export const agreementSets = ['forget', 'retained', 'validation', 'test'] as const satisfies EvaluatedSet[]
export type AgreementSet = (typeof agreementSets)[number]

/** Compares one model's margins φ with the gold model's, sample by sample. */
export const agreement = defineRequestedStage<{
  readonly options: Record<never, never>
  readonly params: Record<never, never>
  readonly inputs: {
    readonly evaluation: 'evaluate'
    readonly goldEvaluation: 'evaluate'
  }
  readonly metrics: Readonly<Record<AgreementSet, Agreement>>
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'comparison',
  about: "rank correlation and variance ratio of a model's margins to gold's, on request",
  work: (sets) =>
    counted(
      agreementSets.reduce((sum, set) => sum + sets[set].samples, 0),
      'sample',
    ),
  title: 'Agreement with gold',
  section,
  example: {},
  stage: (_, { inputs: { evaluation, goldEvaluation } }) =>
    goldEvaluation && { params: {}, inputs: { evaluation, goldEvaluation } },
  figures: {
    heading: 'Agreement with gold, sample by sample',
    introduction:
      'With `agreement` in the config. Two gold models do not agree completely: compare with the floor.',
    list: agreementSets.flatMap((set) => [
      {
        name: `${set}.rank`,
        unit: '',
        about: `rank correlation of the margins with gold's on ${setNames[set]}: 1 is the same order of samples`,
        formula:
          'ρ = Pearson correlation of rank(φ) and rank(φ_g), equal values share the mean of their ranks',
        source: 'Spearman 1904',
      },
      {
        name: `${set}.variance`,
        unit: '',
        about: `variance of the margins over gold's on ${setNames[set]}: 1 is as spread out as gold`,
        formula: 'Var φ / Var φ_g',
        source: OWN,
      },
    ]),
  },
  tracked: (sets) =>
    agreementSets.flatMap((set) => [
      { key: `agreement.${set}.rank`, figure: sets[set].rank },
      { key: `agreement.${set}.variance`, figure: sets[set].variance },
    ]),
})

/** The agreement of a model's margins with gold's on one set. */
export interface Agreement {
  readonly samples: number
  /** Spearman's rank correlation, in [−1, 1]. */
  readonly rank: Measured
  /** The variance over the samples, divided by gold's. */
  readonly variance: Measured
}
