import { fit, type Fit } from '../../../learning/training/fit.ts'
import type { OptimizerSpec, ScheduleSpec } from '../../../experiment/spec/optimizer.ts'
import type { Weights } from '../../../learning/model/parameters.ts'
import type { UnlearnContext, Unlearned } from '../../method.ts'

/** The options of a training by epochs. Absent ones come from the original's training. */
interface EpochMethod {
  /** The name of the random streams. */
  readonly method: string
  readonly epochs: number
  readonly batchSize?: number | undefined
  readonly optimizer?: OptimizerSpec | undefined
  readonly schedule: ScheduleSpec
}

/**
 * Trains on the samples at `indices`. The training continues that of the original model, unless the
 * method gives other `initial` weights. Many methods consist of this.
 */
export async function trainOn(
  method: EpochMethod,
  context: UnlearnContext,
  {
    indices,
    ...run
  }: Pick<Fit, 'indices' | 'labelsOf' | 'mask' | 'direction' | 'changeGradient' | 'warmupEpochs'> & {
    readonly initial?: Weights
  },
): Promise<Unlearned> {
  const { layers, original, data, forget, training, seed, host } = context
  const { weights, steps, curve } = await fit({
    layers,
    initial: original,
    ...run,
    data,
    indices,
    epochs: method.epochs,
    batchSize: method.batchSize ?? training.batchSize,
    optimizer: method.optimizer ?? training.optimizer,
    schedule: method.schedule,
    training,
    seed,
    purpose: method.method,
    host,
  })
  const forgotten = new Set(forget)
  const used = indices.filter((i) => forgotten.has(i)).length
  return {
    weights,
    metrics: {
      trainable: run.mask?.reduce((sum, value) => sum + value, 0) ?? weights.trained.length,
      steps,
      samplesUsed: { forget: used, retained: indices.length - used },
      curve,
    },
  }
}
