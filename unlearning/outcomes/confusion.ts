import { MOST_CONFUSED, type SetOutcomes } from '../../experiment/records/outcomes.ts'
import type { Logits } from '../metrics/logits.ts'

/** The class with the greatest logit of each sample, [n]. The lowest class wins a tie. */
export function predictions({ values, labels, classes }: Logits): Int32Array {
  return Int32Array.from(labels, (_, sample) => {
    const first = sample * classes
    let best = 0
    for (let k = 1; k < classes; k++) if ((values[first + k] ?? NaN) > (values[first + best] ?? NaN)) best = k
    return best
  })
}

/** Counts samples by true class, and by true and predicted class. */
export function setOutcomes(logits: Logits): SetOutcomes {
  const { labels, classes } = logits
  const predicted = predictions(logits)
  const samples = new Array<number>(classes).fill(0)
  const correct = new Array<number>(classes).fill(0)
  const confusion =
    classes > MOST_CONFUSED
      ? undefined
      : Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  labels.forEach((label, i) => {
    const guess = predicted[i] ?? 0
    increment(samples, label)
    if (guess === label) increment(correct, label)
    const row = confusion?.[label]
    if (row) increment(row, guess)
  })
  return { samples, correct, ...(confusion && { confusion }) }
}

function increment(counts: number[], at: number): void {
  counts[at] = (counts[at] ?? 0) + 1
}
