import { labelsAt } from '../../learning/data/device-data.ts'
import { stream } from '../../learning/random.ts'
import { trainOn } from './shared/train-epochs.ts'
import type { Method, UnlearnContext } from '../method.ts'

/**
 * Random labels: min E_{D_r} CE(θ; x, y) + E_{D_f} CE(θ; x, y′). y′ is drawn once per sample,
 * uniformly from the other classes (Golatkar et al. 2020; SalUn of Fan et al. 2024 adds a mask).
 * One epoch is a pass over D_r and D_f together.
 */
export const unlearn: Method<'random-label'> = (method, context) => {
  const labels = relabelled(context)
  return trainOn(method, context, {
    indices: Int32Array.from([...context.retained, ...context.forget]),
    labelsOf: (batch) => labelsAt(labels, batch),
  })
}

/**
 * The labels of all samples, with y′ for D_f. They are the same for all methods that use random
 * labels.
 */
export function relabelled({
  data,
  forget,
  seed,
}: Pick<UnlearnContext, 'data' | 'forget' | 'seed'>): Int32Array {
  const random = stream(seed, 'random-label', 'labels')
  const labels = data.labels.slice()
  for (const i of forget) labels[i] = ((labels[i] ?? 0) + 1 + random.integer(data.classes - 1)) % data.classes
  return labels
}
