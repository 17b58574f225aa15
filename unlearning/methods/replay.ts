import { TrainingBatches } from '../../learning/data/training-batches.ts'
import { fit } from '../../learning/training/fit.ts'
import type { Method } from '../method.ts'

/**
 * Replay: the training of the original is repeated without D_f, from the last state that was kept
 * before a sample of D_f was read (after Unlearning at Scale, arXiv 2508.12220). With the batch B_s
 * of step s, every repeated step minimises
 *
 *     mean of CE over B_s ∖ D_f
 *
 * The order of samples, their augmentation, the learning rates and the number of steps stay as they
 * were. A step whose batch has no other sample is skipped. The result has the same bytes as
 * training from the beginning with D_f left out of the batches. It is exact: nothing in it depends
 * on D_f but the scale of the images and the places that D_f had in the order. The mean is over the
 * samples that are left, so that every step has the weight that it would have with a smaller batch.
 */
export const unlearn: Method<'replay'> = async (_, context) => {
  const { layers, data, retained, forget, training, host, trained } = context
  if (!trained) throw new Error('the training of the original kept no state')
  const { seed, late } = trained
  // The original's training read all samples in ascending order of their indices.
  const indices = Int32Array.from([...retained, ...forget]).sort()
  const { epochs, batchSize } = training
  const run = { indices, epochs, batchSize, seed, purpose: 'train', late, without: forget }
  const batches = new TrainingBatches(run)
  const first = batches.firstStepWith(forget) ?? batches.steps
  const state = trained.states.filter(({ step }) => step <= first).at(-1)
  const from = state?.step ?? 0
  const { weights, curve } = await fit({
    ...training,
    ...run,
    layers,
    data,
    training,
    initial: await trained.initial(),
    host: { step: () => Promise.resolve(), ...host, snapshot: host?.snapshot ?? (await state?.read()) },
  })
  const repeated = Array.from({ length: batches.steps - from }, (_, i) => batches.at(from + i).samples)
  return {
    weights,
    metrics: {
      trainable: weights.trained.length,
      steps: repeated.length,
      samplesUsed: { retained: new Set(repeated.flatMap((batch) => [...batch])).size, forget: 0 },
      curve: curve.filter(({ step }) => step > from),
      replay: {
        from,
        of: batches.steps,
        samples: repeated.reduce((sum, batch) => sum + batch.length, 0),
      },
    },
  }
}
