/**
 * The time of a step of residual feature alignment that keeps the frozen model's features and the
 * input of the first adapted layer in memory, and of the same step when it recomputes them.
 * bench/rfa-problem.ts describes the model and the data.
 *
 *     node --import tsx bench/rfa-step.ts
 */
import { stream } from '../learning/random.ts'
import { tensorflowEnvironment } from '../learning/tensorflow/tf.ts'
import { train } from '../learning/training/train.ts'
import { drawRfaBatch, rfaProblem } from './rfa-problem.ts'

const problem = rfaProblem()

async function milliseconds(kind: 'kept' | 'recomputed', count: number): Promise<number> {
  const start = performance.now()
  await train({
    initial: problem.initial,
    steps: count,
    optimizer: { name: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, weightDecay: 0 },
    schedule: { name: 'constant' },
    loss: (ab, step) => problem[kind](ab, drawRfaBatch(stream(1, 'order', step))),
  })
  return (performance.now() - start) / count
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

await milliseconds('kept', 3)
await milliseconds('recomputed', 3)
const rounds: Record<'kept' | 'recomputed', number[]> = { kept: [], recomputed: [] }
const ratios: number[] = []
for (let round = 0; round < 9; round++) {
  const [kept, recomputed] = [await milliseconds('kept', 10), await milliseconds('recomputed', 10)]
  rounds.kept.push(kept)
  rounds.recomputed.push(recomputed)
  ratios.push(recomputed / kept)
}
const { version, device, threads } = tensorflowEnvironment()
console.log(`TensorFlow ${version}, ${device}, ${threads} threads; median of 9 rounds of 10 steps, in turn`)
console.log(`features kept:        ${median(rounds.kept).toFixed(1)} ms a step`)
console.log(`features recomputed:  ${median(rounds.recomputed).toFixed(1)} ms a step`)
console.log(
  `ratio:                ${median(ratios).toFixed(2)} (from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
)
