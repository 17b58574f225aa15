import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import type { StoppingCheck } from '../../../experiment/stages/unlearn.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import type { StepCallback } from '../../../learning/training/train.ts'
import { unseenAccuracy } from '../../metrics/unseen-accuracy.ts'
import type { RfaProblem } from './problem.ts'
import type { Student } from './student.ts'
import type { LabelledInput, Teacher } from './teacher.ts'

const BATCH = 512

/**
 * The student's accuracy on D_f, and the accuracy expected if it had never seen D_f. In percent.
 */
export type Accuracies = Omit<StoppingCheck, 'step'>

export interface StoppingRule extends StepCallback {
  /** The accuracies at every check so far, with their steps. */
  checks(): readonly StoppingCheck[]
}

/**
 * Ends the training once the student's accuracy on D_f is at most that expected on samples that it
 * never saw, measured every so many steps.
 */
export async function stopByAccuracy(
  every: number,
  { labels }: RfaProblem,
  teacher: Teacher,
  student: Student,
): Promise<StoppingRule> {
  const inputs = {
    forget: { input: teacher.forget.input, labels: labels.forget },
    validation: { input: await teacher.validationInput(), labels: labels.validation },
  }
  return stoppingRule(every, (ab) => studentAccuracies((input) => student.logits(ab, input), inputs))
}

/** Measures the accuracies every so many steps, and ends the training once `forget` ≤ `unseen`. */
function stoppingRule(every: number, measure: (parameters: Tensor1D) => Promise<Accuracies>): StoppingRule {
  let checks: StoppingCheck[] = []
  return {
    checks: () => checks,
    async afterStep(step, parameters) {
      if (step % every !== 0) return false
      const accuracies = await measure(parameters)
      checks.push({ step, ...accuracies })
      return accuracies.forget <= accuracies.unseen
    },
    take: () => Promise.resolve({ vectors: {}, notes: { looks: [...checks] } }),
    restore({ notes }) {
      checks = [...(notes.looks as readonly StoppingCheck[])]
    },
  }
}

/**
 * The figures of the stopping rule, in percent. A model that never saw D_f is correct on it no more
 * often than on samples of the same classes that it never saw (../../metrics/unseen-accuracy.ts).
 * The rule therefore needs neither gold nor test samples.
 * logits: [n, classes] of the student from inputs [n, ...].
 */
async function studentAccuracies(
  logits: (input: Tensor) => Tensor2D,
  { forget, validation }: Readonly<Record<'forget' | 'validation', LabelledInput>>,
): Promise<Accuracies> {
  const onForget = await correctness(logits, forget)
  const onValidation = await correctness(logits, validation)
  return {
    forget: (100 * onForget.reduce((sum, one) => sum + one, 0)) / onForget.length,
    unseen: unseenAccuracy(forget.labels, { labels: validation.labels, correct: onValidation }),
  }
}

/** [n]: 1 where the greatest logit is the true class's, else 0. */
async function correctness(
  logits: (input: Tensor) => Tensor2D,
  { input, labels }: LabelledInput,
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
