import type { OutcomeAttack } from './outcomes.ts'

/** The sets of samples that are listed, in the order of the rows. */
export const sampleSets = ['forget', 'retained', 'test'] as const
export type SampleSet = (typeof sampleSets)[number]

/** The samples of the first seed of a run, as columns of equal length. */
export interface SampleTable {
  readonly classes: readonly string[]
  /** Height, width and channels of a picture. Absent if the data are too large to read any. */
  readonly shape?: readonly [number, number, number]
  readonly sets: readonly SampleSet[]
  /** By sample: the index into `sets`. */
  readonly set: readonly number[]
  /** By sample: its number among all samples of the data. */
  readonly number: readonly number[]
  /** By sample: the number of its true class. */
  readonly label: readonly number[]
  /** By row of the results, and in it by sample. */
  readonly models: readonly SampledModel[]
  /** The attacks whose scores of these samples can be asked for. */
  readonly attacks: readonly OutcomeAttack[]
  /** Rows whose logits cannot be read. */
  readonly missing: readonly { readonly label: string; readonly reason: string }[]
  /** Samples that are left out, since there are too many. */
  readonly left: number
}

export interface SampledModel {
  readonly label: string
  readonly isGold: boolean
  /** The probability of the true class, with four decimals. */
  readonly confidence: readonly number[]
  /** The number of the predicted class. */
  readonly predicted: readonly number[]
}

/** The scores that an attack gives to the samples of a table. A high one speaks for a member. */
export interface SampleScores {
  readonly attack: OutcomeAttack
  /**
   * By model, and in it by row of the table, with six significant digits. Null: the attack does not
   * score the sample.
   */
  readonly models: readonly { readonly label: string; readonly scores: readonly (number | null)[] }[]
  /** Models without scores. */
  readonly missing: readonly { readonly label: string; readonly reason: string }[]
}

/** The samples of other sets whose pixels are closest to those of a sample, the closest first. */
export interface Neighbours {
  readonly retained: readonly Neighbour[]
  readonly test: readonly Neighbour[]
}

export interface Neighbour {
  /** Its number among all samples of the data. */
  readonly number: number
  /** The root of the mean squared difference of pixels, as a share of the largest pixel value. */
  readonly distance: number
}
