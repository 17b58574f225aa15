import type { ScoreName } from '../../experiment/records/scores.ts'
import { correctness, logProbabilities, rows, trueLogProbabilities, type Logits } from '../metrics/logits.ts'

/** Returns one number for each sample, [n]. */
export type ScoreFunction<Options> = (logits: Logits, options: Options) => Float64Array

/**
 * The scores on which attacks are trained: one number per sample, [n]. Entropies and losses are in
 * nats. Scores of finite logits are finite without a lower bound on p: logarithms are computed from
 * the logits and stay finite where p rounds to 0 or 1.
 */
export const scores: Readonly<Record<ScoreName, ScoreFunction<void>>> = {
  correctness,
  confidence: (logits) => trueLogProbabilities(logits).map(Math.exp),
  entropy: (logits) =>
    Float64Array.from(rows(logProbabilities(logits), logits.classes), (logs) =>
      logs.reduce((sum, log) => sum - Math.exp(log) * log, 0),
    ),
  'modified-entropy': (logits) => {
    const logs = rows(logProbabilities(logits), logits.classes)
    return Float64Array.from(logits.labels, (y, i) => modifiedEntropy(logs[i] ?? new Float64Array(), y))
  },
  loss: (logits) => trueLogProbabilities(logits).map((log) => 0 - log),
}

/**
 * The modified entropy −(1 − p_y) log p_y − Σ_{i≠y} p_i log(1 − p_i) of one sample (Song and Mittal
 * 2021, equation 8).
 */
function modifiedEntropy(logs: Float64Array, y: number): number {
  const top = logs.indexOf(Math.max(...logs))
  const terms = logs.map((log, i) => {
    const logRest = i === top ? logSumWithout(logs, i) : Math.log1p(-Math.exp(log))
    return i === y ? Math.exp(logRest) * log : Math.exp(log) * logRest
  })
  return terms.reduce((sum, term) => sum - term, 0)
}

/** log(1 − p_i) as the logarithm of the sum of the other classes, since 1 − p_i may round to 0. */
function logSumWithout(logs: Float64Array, i: number): number {
  const others = logs.filter((_, j) => j !== i)
  const greatest = Math.max(...others)
  return greatest + Math.log(others.reduce((sum, log) => sum + Math.exp(log - greatest), 0))
}
