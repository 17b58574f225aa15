import { stepsOf } from '../../learning/data/batches.ts'
import { crossEntropy } from '../../learning/training/losses.ts'
import type { MethodSpecOf } from '../../experiment/spec/methods.ts'
import type { Method, UnlearnContext } from '../method.ts'
import { Minibatches, trainStudent, type StudentRun } from './shared/train-student.ts'

/**
 * NegGrad+ (Kurmanji et al. 2023): descent on the retained set and ascent on the forget set in one
 * step,
 *
 *     min  α E_{D_r} CE(θ; x, y)  −  (1 − α) E_{D_f} CE(θ; x, y)
 *
 * Each batch of D_r is paired with one of D_f. An epoch is a pass over D_r, in which D_f is
 * repeated as often as necessary. The ascent is unbounded: a small α or a long run destroys the
 * model. The authors' code (meghdadk/SCRUB) has α = 0.95 for small data sets of six classes, which
 * is the default, and 0.9999 for CIFAR-10 and CIFAR-100. The learning rate is the code's.
 */
export const unlearn: Method<'neggrad-plus'> = (method, context) =>
  trainStudent(context, { ...method, ...objective(method, context, method.alpha) })

/** The number of steps and the loss of each, for a student with any parametrisation. */
export function objective(
  { method, epochs, batchSize }: Pick<MethodSpecOf<ObjectiveMethod>, 'method' | 'epochs' | 'batchSize'>,
  context: UnlearnContext,
  alpha: number,
): StudentRun {
  const { retained, forget, training } = context
  const onRetained = new Minibatches(context, retained, batchSize, `${method} retained`)
  const onForget = new Minibatches(context, forget, batchSize, `${method} forget`)
  return {
    steps: stepsOf(epochs, onRetained.batches),
    samples: { retained: retained.length, forget: forget.length },
    loss: (student, step) => {
      const r = onRetained.at(step)
      const f = onForget.at(step)
      const descent = crossEntropy(student.logits(r.images), r.labels, training.labelSmoothing)
      const ascent = crossEntropy(student.logits(f.images), f.labels, training.labelSmoothing)
      return descent.mul(alpha).sub(ascent.mul(1 - alpha))
    },
  }
}

type ObjectiveMethod = 'neggrad-plus' | 'lora-neggrad-plus'
