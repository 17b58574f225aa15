import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs'
import { layersOf } from '../experiment/models/model.ts'
import { adaptableLayers, topLevelIndex } from '../experiment/models/layers.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { DeviceData } from '../learning/data/device-data.ts'
import { forward } from '../learning/model/forward.ts'
import { adapted, initialAdapter, lora } from '../learning/model/lora.ts'
import { initialWeights, parameterSpecs, type NamedTensors } from '../learning/model/parameters.ts'
import { parametersOf } from '../learning/model/predict.ts'
import { stream, type RandomStream } from '../learning/random.ts'
import { tf } from '../learning/tensorflow/tf.ts'
import { alignment, distances } from '../unlearning/methods/rfa/loss.ts'

const SAMPLES = 1024
const SIZES = { retained: 192, forget: 64 }

/** Sample indices of one step. */
export interface RfaBatch {
  readonly retained: Int32Array
  readonly forget: Int32Array
}

export function drawRfaBatch(random: RandomStream): RfaBatch {
  const rows = (length: number) => Int32Array.from({ length }, () => random.integer(SAMPLES))
  return { retained: rows(SIZES.retained), forget: rows(SIZES.forget) }
}

/** The loss of one step, in the parameters of the adapter. */
type StepLoss = (ab: Tensor1D, batch: RfaBatch) => Scalar

/**
 * Residual feature alignment for benchmarks: a small CNN on 1,024 random images of CIFAR-10's
 * shape, LoRA of rank 4 on its last three layers, 192 retained and 64 forget samples per step and
 * the target `retained-mean`. `kept` uses the frozen model's features from memory, as the method
 * does. `recomputed` computes them in every step.
 */
export function rfaProblem(): {
  readonly initial: Float32Array
  readonly kept: StepLoss
  readonly recomputed: StepLoss
} {
  const random = stream(1, 'bench')
  const images = Uint8Array.from({ length: SAMPLES * 3072 }, () => random.integer(256))
  const data = new DeviceData(images, new Int32Array(SAMPLES), {
    shape: [32, 32, 3],
    classes: 10,
    mean: [128, 128, 128],
    deviation: [64, 64, 64],
  })
  const model = modelSchema.parse({ name: 'cnn', channels: [32, 64], hidden: 128 })
  const layers = layersOf(model, [32, 32, 3], 10)
  const base = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
  const wrapped = adaptableLayers(layers).slice(-3)
  const aligned = wrapped.map(({ name }) => name)
  const capture = new Set(aligned)
  const adapter = lora(wrapped, { rank: 4, rslora: false })
  const from = Math.min(...aligned.map((name) => topLevelIndex(layers, name)))
  const distance = distances({}, 'head', Object.fromEntries(aligned.map((name) => [name, 1])))

  const all = Int32Array.from({ length: SAMPLES }, (_, i) => i)
  const { input, features, means } = tf.tidy(() => {
    const input = forward(layers, base, data.images(all), { to: from }).output
    const { features } = forward(layers, base, input, { from, capture })
    const means = Object.fromEntries(aligned.map((name) => [name, (features[name] as Tensor).mean(0, true)]))
    return { input, features: { ...features }, means }
  })
  const loss = (student: NamedTensors, teacher: (name: string) => Tensor) => {
    const target = (name: string) => means[name] as Tensor
    const sizes = [SIZES.retained, SIZES.forget] as const
    const parts = alignment(student, aligned, distance, sizes, { teacher, target })
    return parts.onRetained.add<Scalar>(parts.onForget)
  }
  return {
    initial: initialAdapter(adapter, stream(1, 'adapter')),
    kept(ab, { retained, forget }) {
      const rows = tf.tensor1d(retained, 'int32')
      const x = tf.gather(input, tf.tensor1d([...retained, ...forget], 'int32'))
      const student = forward(layers, adapted(adapter, base, ab), x, { from, capture }).features
      return loss(student, (name) => tf.gather(features[name] as Tensor, rows))
    },
    recomputed(ab, { retained, forget }) {
      const x = data.images(Int32Array.from([...retained, ...forget]))
      const frozen = forward(layers, base, x, { capture }).features
      const student = forward(layers, adapted(adapter, base, ab), x, { capture }).features
      return loss(student, (name) => (frozen[name] as Tensor).slice(0, SIZES.retained))
    },
  }
}
