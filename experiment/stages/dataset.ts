import { counted } from '../../common/counted.ts'
import type { DatasetFacts } from '../spec/dataset.ts'
import type { DataSpec } from '../spec/data.ts'
import { defineStage } from './definition.ts'

/**
 * Reads the data set, sets test and validation samples apart, and publishes the pixels, the labels
 * and the indices of the three sets.
 */
export const dataset = defineStage<{
  readonly params: {
    readonly data: DataSpec
    readonly facts: DatasetFacts
    readonly seed: number
    /**
     * Samples that stay training samples. Absent if none of those to forget would be set apart.
     */
    readonly keep?: readonly number[]
  }
  readonly inputs: Record<never, never>
  /** Samples of each set. */
  readonly metrics: {
    readonly train: number
    readonly validation: number
    readonly test: number
  }
}>({
  queue: 'zeroshift',
  onDevice: false,
  group: 'data',
  about: 'reads the data, and sets test and validation samples apart',
  work: ({ train, validation, test }) => counted(train + validation + test, 'sample'),
})
