import type { CurvePoint } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { ProgramParams } from '../spec/program.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineStage } from './definition.ts'

/**
 * Trains a model, from new or pre-trained weights: the original on all training samples, a gold
 * model on the retained set. The untrained twin has its initial weights alone.
 */
export const train = defineStage<{
  readonly params:
    | {
        readonly on: 'all' | 'retained' | 'nothing'
        readonly model: ModelSpec
        readonly training: TrainingSpec
        readonly seed: number
      }
    | {
        readonly on: 'all' | 'retained'
        /** The external program that trains the model. */
        readonly program: ProgramParams
        readonly seed: number
      }
  readonly inputs: {
    readonly dataset: 'dataset'
    /** Absent if the model trains on all training samples or on none. */
    readonly split?: 'split'
    /** Absent if the model starts from new weights. */
    readonly checkpoint?: 'checkpoint'
    /** The files of the program that trains the model. Absent if it is trained here. */
    readonly program?: 'program'
  }
  readonly metrics: {
    /** Absent if a program trained the model. */
    readonly parameters?: number
    readonly steps: number
    readonly curve: readonly CurvePoint[]
    /** The last value of each figure that an external program has reported. */
    readonly figures?: Readonly<Record<string, number>>
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'models',
  about: 'trains a model: the original, gold, or none at all (the untrained twin)',
})
