/** A model's outputs on one set of samples. */
export interface Logits {
  /** [n, classes], row-major. */
  readonly values: Float32Array
  /** [n], each in 0..classes − 1. */
  readonly labels: Int32Array
  readonly classes: number
}

/** The reason why no figure can be computed from these logits; undefined if there is none. */
export function unusable({ values, labels }: Logits): string | undefined {
  if (labels.length === 0) return 'the set is empty'
  if (!values.every(Number.isFinite)) return 'the logits are not finite'
  return undefined
}

/** The rows of a row-major array [n, width], as views. */
export function rows(values: Float32Array, width: number): Float32Array[]
export function rows(values: Float64Array, width: number): Float64Array[]
export function rows(values: Float32Array | Float64Array, width: number): (Float32Array | Float64Array)[] {
  return Array.from({ length: values.length / width }, (_, i) => values.subarray(i * width, (i + 1) * width))
}

/**
 * log softmax, [n, classes] row-major. Finite for finite logits, whatever their differences.
 *
 * The logarithm of the most probable class is −log(1 + rest), where `rest` is the sum of the other
 * classes relative to it. `log1p` keeps a rest below 1e-16, which 1 + rest would lose: log p would
 * be 0 for every p above 1 − 1e-16.
 */
export function logProbabilities({ values, classes }: Logits): Float64Array {
  const result = Float64Array.from(values)
  for (const row of rows(result, classes)) {
    // The greatest logit is subtracted first. Subtracted together with logSum, it would absorb it.
    const greatest = Math.max(...row)
    const top = row.indexOf(greatest)
    let rest = 0
    row.forEach((z, i) => {
      if (i !== top) rest += Math.exp(z - greatest)
    })
    const logSum = Math.log1p(rest)
    row.forEach((z, i) => (row[i] = z - greatest - logSum))
  }
  return result
}

/** The softmax, [n, classes] row-major. */
export function probabilities(logits: Logits): Float64Array {
  return logProbabilities(logits).map(Math.exp)
}

/** log p_y, the log probability of the true class, [n]. */
export function trueLogProbabilities(logits: Logits): Float64Array {
  const logs = rows(logProbabilities(logits), logits.classes)
  return Float64Array.from(logits.labels, (y, i) => logs[i]?.[y] ?? NaN)
}

/**
 * 1 where the greatest logit is that of the true class, else 0, [n]. The lowest class wins a tie.
 */
export function correctness(logits: Logits): Float64Array {
  const predicted = rows(logits.values, logits.classes).map((row) => row.indexOf(Math.max(...row)))
  return Float64Array.from(logits.labels, (y, i) => (predicted[i] === y ? 1 : 0))
}
