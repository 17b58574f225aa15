import { counted } from '../../common/counted.ts'
import type { Measured } from '../records/measured.ts'
import type { ApproximateMethodSpec } from '../spec/methods.ts'
import type { TuneSpec } from '../spec/tune.ts'
import { defineStage } from './definition.ts'

/** Ranks the variants of a method after one round of trials. */
export const tune = defineStage<{
  readonly params: { readonly by: TuneSpec['by'] }
  readonly inputs: {
    /** The ranking of the round before. Absent after the first round. */
    readonly tuned?: 'tune'
  } & Readonly<Record<`trial${number}`, 'trial'>>
  readonly metrics: {
    /** All variants, the best one first. */
    readonly ranking: readonly RankedVariant[]
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'tuning',
  about: 'ranks the variants of a method by the rule of the tuning',
  work: ({ ranking }) => counted(ranking.length, 'variant'),
})

/** A variant of a method, and how it did in the trials. */
export interface RankedVariant {
  /** From 0. Variant 0 has the row's own options. */
  readonly variant: number
  readonly method: ApproximateMethodSpec
  /** The validation gaps in points, one for each round in which the variant was tried. */
  readonly gaps: readonly Measured[]
}
