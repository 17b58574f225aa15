/**
 * A step of residual feature alignment with the frozen model's features and the first adapted layer's input kept, beside the
 * same step that computes them anew: a small CNN on images of CIFAR-10's shape, LoRA of rank 4 on its last three layers,
 * batches of 64 forget and 192 retained samples.
 *
 *     node --import tsx bench/rfa-step.ts
 */
import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs'
import { adaptableLayers, layersOf } from '../experiment/models/model.ts'
import { modelSchemas } from '../experiment/spec/spec.ts'
import { DeviceData } from '../learning/data/device-data.ts'
import { adapted, initialAdapter, lora } from '../learning/model/lora.ts'
import { forward, topLevelIndex } from '../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../learning/model/parameters.ts'
import { parametersOf } from '../learning/model/predict.ts'
import { stream } from '../learning/random.ts'
import { tensorflowEnvironment, tf } from '../learning/tensorflow/tf.ts'
import { train } from '../learning/training/train.ts'
import { alignment, distances } from '../unlearning/methods/rfa.ts'

const samples = 1024
const random = stream(1, 'bench')
const images = Uint8Array.from({ length: samples * 3072 }, () => random.integer(256))
const data = new DeviceData(images, new Int32Array(samples), {
  shape: [32, 32, 3],
  classes: 10,
  mean: [128, 128, 128],
  deviation: [64, 64, 64],
})
const layers = layersOf(
  modelSchemas[1].parse({ name: 'cnn', channels: [32, 64], hidden: 128 }),
  [32, 32, 3],
  10,
)
const base = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
const wrapped = adaptableLayers(layers).slice(-3)
const aligned = wrapped.map(({ name }) => name)
const capture = new Set(aligned)
const adapter = lora(wrapped, { rank: 4, rslora: false })
const from = Math.min(...aligned.map((name) => topLevelIndex(layers, name)))
const distance = distances({}, 'head', Object.fromEntries(aligned.map((name) => [name, 1])))

const all = Int32Array.from({ length: samples }, (_, i) => i)
const kept = tf.tidy(() => {
  const input = forward(layers, base, data.images(all), { to: from }).output
  return { input, ...forward(layers, base, input, { from, capture }).features }
}) as { input: Tensor } & Record<string, Tensor>
const mean = (name: string) => (kept[name] as Tensor).mean(0, true)

function batch(step: number): { retained: Int32Array; forget: Int32Array } {
  const order = stream(1, 'order', step)
  return {
    retained: Int32Array.from({ length: 192 }, () => order.integer(samples)),
    forget: Int32Array.from({ length: 64 }, () => order.integer(samples)),
  }
}

const steps: Readonly<Record<'kept' | 'anew', (ab: Tensor1D, step: number) => Scalar>> = {
  kept: (ab, step) => {
    const { retained, forget } = batch(step)
    const r = tf.tensor1d(retained, 'int32')
    const x = tf.gather(kept.input, tf.tensor1d([...retained, ...forget], 'int32'))
    const { features } = forward(layers, adapted(adapter, base, ab), x, { from, capture })
    const teacher = (name: string) => tf.gather(kept[name] as Tensor, r)
    const { onRetained, onForget } = alignment(features, aligned, distance, [192, 64], {
      teacher,
      target: mean,
    })
    return onRetained.add(onForget)
  },
  anew: (ab, step) => {
    const { retained, forget } = batch(step)
    const x = data.images(Int32Array.from([...retained, ...forget]))
    const frozen = forward(layers, base, x, { capture }).features
    const { features } = forward(layers, adapted(adapter, base, ab), x, { capture })
    const teacher = (name: string) => (frozen[name] as Tensor).slice(0, 192)
    const { onRetained, onForget } = alignment(features, aligned, distance, [192, 64], {
      teacher,
      target: mean,
    })
    return onRetained.add(onForget)
  },
}

async function milliseconds(kind: keyof typeof steps, count: number): Promise<number> {
  const initial = initialAdapter(adapter, stream(1, 'adapter'))
  const start = performance.now()
  await train({
    initial,
    steps: count,
    optimizer: { name: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, weightDecay: 0 },
    schedule: { name: 'constant' },
    loss: steps[kind],
  })
  return (performance.now() - start) / count
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

await milliseconds('kept', 3)
await milliseconds('anew', 3)
const rounds: Record<keyof typeof steps, number[]> = { kept: [], anew: [] }
const ratios: number[] = []
for (let round = 0; round < 9; round++) {
  const [withKept, withoutKept] = [await milliseconds('kept', 10), await milliseconds('anew', 10)]
  rounds.kept.push(withKept)
  rounds.anew.push(withoutKept)
  ratios.push(withoutKept / withKept)
}
const { version, device, threads } = tensorflowEnvironment()
console.log(`TensorFlow ${version}, ${device}, ${threads} threads; median of 9 rounds of 10 steps, in turn`)
console.log(`features kept:  ${median(rounds.kept).toFixed(1)} ms a step`)
console.log(`computed anew:  ${median(rounds.anew).toFixed(1)} ms a step`)
console.log(
  `ratio:          ${median(ratios).toFixed(2)} (from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
)
