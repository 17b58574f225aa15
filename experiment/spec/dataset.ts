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

/** The greatest pixel value of each data set, which is white. */
const whiteLevels: Readonly<Record<DataSpec['name'], number>> = {
  digits: 16,
  cifar10: 255,
  mnist: 255,
  'fashion-mnist': 255,
  kmnist: 255,
  cifar100: 255,
  svhn: 255,
  'image-folder': 255,
  parquet: 255,
  npz: 255,
}

/** The greatest pixel value, which is white. */
export function whiteOf({ name }: Pick<DatasetFacts, 'name'>): number {
  return whiteLevels[name]
}

/** The citation of data that was not published under a name known here. */
export const ownCitation = "the user's own"
