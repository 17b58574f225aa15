import { logProbabilities } from './metrics/logits.ts'

/**
 * The logarithms of the mean probabilities of several models, [n, classes] row-major, from the
 * logits of each, [n, classes] row-major. A softmax of the result gives the mean probabilities.
 */
export function meanLogits(outputs: readonly Float32Array[], classes: number): Float32Array {
  const size = outputs[0]?.length ?? 0
  const labels = new Int32Array(size / classes)
  const logs = outputs.map((values) => logProbabilities({ values, labels, classes }))
  return Float32Array.from({ length: size }, (_, i) => {
    // The greatest logarithm is taken out, so that small probabilities do not become 0.
    const greatest = logs.reduce((most, values) => Math.max(most, values[i] ?? -Infinity), -Infinity)
    const sum = logs.reduce((total, values) => total + Math.exp((values[i] ?? -Infinity) - greatest), 0)
    return greatest + Math.log(sum / logs.length)
  })
}
