import type { Shape } from '../models/model.ts'

/** What is known of a data set before any work starts: read from its files, checked, and part of the first key. */
export interface DatasetFacts {
  readonly name: string
  readonly shape: Shape
  readonly classes: readonly string[]
  /** Samples per class in the files that give training samples, then in those that give test samples. */
  readonly train: readonly number[]
  readonly test: readonly number[]
  readonly sources: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[]
  readonly citation: string
  /** Images that were left out because they cannot be decoded: how many, and the first of them by name. */
  readonly skipped?: { readonly images: number; readonly first: readonly string[] }
}

/** The greatest pixel value, which is white. */
export function whiteOf({ name }: Pick<DatasetFacts, 'name'>): number {
  return name === 'digits' ? 16 : 255
}

/** The citation of data that nobody published under a name known here. */
export const ownCitation = "the user's own"
