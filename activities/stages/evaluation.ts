import { evaluatedSets, type EvaluatedSet, type Measured } from '../../experiment/records/measured.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { accuracy } from '../../unlearning/metrics/accuracy.ts'
import { confidenceHistogram } from '../../unlearning/metrics/confidence-histogram.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { matchedAccuracy } from '../../unlearning/metrics/matched-accuracy.ts'

/** The accuracy on every set, and the confidence in the true class. */
export function figuresOf(
  logits: Readonly<Record<EvaluatedSet, Logits>>,
  isMatched = false,
): StageMetrics['evaluate'] {
  return {
    accuracy: Object.fromEntries(evaluatedSets.map((set) => [set, accuracy(logits[set])])) as Record<
      EvaluatedSet,
      Measured
    >,
    confidence: {
      retained: confidenceHistogram(logits.retained),
      forget: confidenceHistogram(logits.forget),
      test: confidenceHistogram(logits.test),
    },
    ...(isMatched && { matched: matchedAccuracy(logits.forget.labels, logits.test) }),
  }
}

/**
 * The sets of an evaluation without a split: all training samples are retained, and the other sets
 * are empty.
 */
export function unsplit(train: Int32Array): Readonly<Record<EvaluatedSet, Int32Array>> {
  const none = new Int32Array()
  return {
    retained: train,
    forget: none,
    validation: none,
    attackTest: none,
    test: none,
    forgottenTest: none,
  }
}
