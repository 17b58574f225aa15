import type { Shape } from '../models/layers.ts'
import type { DataSpec } from './data.ts'

/**
 * Facts about a data set that its files give. They are read before any work starts and are part of
 * the first key.
 */
export interface DatasetFacts {
  readonly name: DataSpec['name']
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

/**
 * The data sets whose greatest pixel value is not 255. Code that computes on the device reads this
 * table and not the definitions in `data.ts`, so that the digest of that code does not depend on
 * the options of configs. A definition with another value than this table's does not compile.
 */
const whiteLevels = { digits: 16 } as const

const BYTE = 255

/** The type of the greatest pixel value of the data set with this name. */
export type WhiteLevel<Name extends string> = Name extends keyof typeof whiteLevels
  ? (typeof whiteLevels)[Name]
  : typeof BYTE

/** The greatest pixel value, which is white. */
export function whiteOf({ name }: Pick<DatasetFacts, 'name'>): number {
  const levels: Readonly<Partial<Record<DataSpec['name'], number>>> = whiteLevels
  return levels[name] ?? BYTE
}

/** The citation of data that was not published under a name known here. */
export const ownCitation = "the user's own"
