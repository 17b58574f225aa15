import type { Shape } from '../models/layers.ts'

/**
 * Facts about a data set that its files give. They are read before any work starts and are part of
 * the first key.
 */
export interface DatasetFacts {
  /** The name of the data set, or that of the plug-in that reads it. */
  readonly name: string
  readonly shape: Shape
  readonly classes: readonly string[]
  /** Samples per class: in the files of training samples, and in the files of test samples. */
  readonly train: readonly number[]
  readonly test: readonly number[]
  readonly sources: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[]
  readonly citation: string
  /**
   * Images that were left out because they cannot be decoded: how many, and the names of the first
   * of them.
   */
  readonly skipped?: { readonly images: number; readonly first: readonly string[] }
}

/** The citation of data that was not published under a name known here. */
export const ownCitation = "the user's own"
