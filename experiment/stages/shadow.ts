import { counted, grouped } from '../../common/counted.ts'
import type { CurvePoint } from '../records/measured.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { ProgramParams } from '../spec/program.ts'
import type { TrainingSpec } from '../spec/training.ts'
import { defineStage } from './definition.ts'

/**
 * Trains a shadow model on a random half of all samples of the data set, and computes its margin φ
 * for every sample.
 */
export const shadow = defineStage<{
  readonly params: {
    readonly seed: number
    /** From 0. The models 2k and 2k + 1 train on complementary halves. */
    readonly index: number
  } & (
    | { readonly model: ModelSpec; readonly training: TrainingSpec }
    /** The external program that trains the model. */
    | { readonly program: ProgramParams }
  )
  readonly inputs: {
    readonly dataset: 'dataset'
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
    /** The number of samples that the model trained on, and the number of all samples. */
    readonly members: number
    readonly samples: number
  }
}>({
  queue: 'zeroshift-train',
  onDevice: true,
  group: 'shadows',
  about: 'trains a shadow model, on request',
  work: ({ steps, parameters, members, samples }) =>
    `${counted(steps, 'step')}, ${parameters === undefined ? '' : `${counted(parameters, 'parameter')}, `}${grouped(members)} of ${counted(samples, 'sample')}`,
})
