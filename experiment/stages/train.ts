import type { AccuracyPoint, CurvePoint } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { ProgramParams } from '../spec/program.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineStage } from './definition.ts'

/** The parameters of a model that is trained here, or that has its initial weights alone. */
export interface Trained {
  readonly on: 'all' | 'retained' | 'nothing'
  readonly model: ModelSpec
  readonly training: TrainingSpec
  readonly seed: number
}

/** The parameters of a model that an external program trains. */
export interface TrainedByProgram {
  readonly on: 'all' | 'retained'
  readonly program: ProgramParams
  readonly seed: number
}

/** The parameters of a model that was made elsewhere. Its files are behind the input checkpoint. */
export interface Given {
  readonly on: 'given'
  readonly model: ModelSpec
}

/**
 * Trains a model, from new or pre-trained weights: the original on all training samples, a gold
 * model on the retained set. The untrained twin has its initial weights alone. A model from
 * elsewhere is taken unchanged.
 */
export const train = defineStage<{
  readonly params: Trained | Given | TrainedByProgram
  readonly inputs: {
    readonly dataset: 'dataset'
    /** Absent if the model trains on all training samples or on none. */
    readonly split?: 'split'
    /** The weights that the model starts from or has. Absent if it starts from new weights. */
    readonly checkpoint?: 'checkpoint'
    /** The files of the program that trains the model. Absent if it is trained here. */
    readonly program?: 'program'
  }
  readonly metrics: {
    /** Absent if a program trained the model. */
    readonly parameters?: number
    readonly steps: number
    readonly curve: readonly CurvePoint[]
    /** Present if `training.accuracy` asks for it. */
    readonly accuracy?: readonly AccuracyPoint[]
    /** The last value of each figure that an external program has reported. */
    readonly figures?: Readonly<Record<string, number>>
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'models',
  about:
    'trains a model: the original, gold, or none at all (the untrained twin); or takes one from elsewhere',
})
