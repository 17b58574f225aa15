import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { StoppingCheck } from '../../../experiment/records/manifest.ts'
import { tf } from '../../../learning/tf.ts'
import type { StepCallback } from '../../../learning/training.ts'
import { unseenAccuracy } from './unseen-accuracy.ts'

/** Samples at a layer of the student, with their labels. */
export interface Scored {
  /** [n, ...]. */
  readonly input: Tensor
  readonly labels: Int32Array
}

const BATCH = 512

export interface StoppingRule extends StepCallback {
  looks(): readonly StoppingCheck[]
}

/** Ends a training as soon as a look says so: one is taken every so many steps. */
export function stoppingRule(
  every: number,
  look: (parameters: Tensor1D) => Promise<Omit<StoppingCheck, 'step'>>,
): StoppingRule {
  let looks: StoppingCheck[] = []
  return {
    looks: () => looks,
    async afterStep(step, parameters) {
      if (step % every !== 0) return false
      const seen = await look(parameters)
      looks.push({ step, ...seen })
      return seen.forget <= seen.unseen
    },
    take: () => Promise.resolve({ vectors: {}, notes: { looks: [...looks] } }),
    restore({ notes }) {
      looks = [...(notes.looks as readonly StoppingCheck[])]
    },
  }
}

/**
 * A stopping rule that sees neither gold nor test samples: a model that never saw D_f is right on it no more often than
 * on samples of the same classes that it never saw (./unseen-accuracy.ts). Accuracies are the student's own of the moment.
 * logits: what it makes of inputs.
 */
export async function lookAt(
  logits: (input: Tensor) => Tensor2D,
  { forget, validation }: { readonly forget: Scored; readonly validation: Scored },
): Promise<Omit<StoppingCheck, 'step'>> {
  const right = await correctness(logits, forget)
  const unseen = await correctness(logits, validation)
  return {
    forget: (100 * right.reduce((sum, one) => sum + one, 0)) / right.length,
    unseen: unseenAccuracy(forget.labels, { labels: validation.labels, correct: unseen }),
  }
}

/** [n]: 1 where the greatest logit is the true class's. */
async function correctness(
  logits: (input: Tensor) => Tensor2D,
  { input, labels }: Scored,
): Promise<Float64Array> {
  const correct = new Float64Array(labels.length)
  for (let first = 0; first < labels.length; first += BATCH) {
    const batch = Math.min(BATCH, labels.length - first)
    const predicted = tf.tidy(() => logits(input.slice(first, batch)).argMax<Tensor1D>(1))
    const found = await predicted.data()
    predicted.dispose()
    found.forEach((label, i) => {
      correct[first + i] = label === labels[first + i] ? 1 : 0
    })
  }
  return correct
}
