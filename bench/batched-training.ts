/**
 * Trains k small models at once: multilayer perceptrons (digits, 64-64-64-10, batches of 64, Adam),
 * either one after the other with `fit`, or as one with weights [k, in, out], one batched product
 * per layer, one gradient and one optimizer step. Checks that both give the same models up to
 * rounding.
 *
 *     node --import tsx bench/batched-training.ts [STEPS]
 */
import type { Tensor, Tensor1D, Tensor3D } from '@tensorflow/tfjs'
import { findDataDirectory } from '../activities/inputs/data-directory.ts'
import { layersOf } from '../experiment/models/model.ts'
import { dataSchema } from '../experiment/spec/data.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { trainingSchema } from '../experiment/spec/training.ts'
import { Batches } from '../learning/data/batches.ts'
import { DeviceData, labelsAt } from '../learning/data/device-data.ts'
import { readDataset } from '../datasets/index.ts'
import { fit } from '../learning/training/fit.ts'
import {
  initialWeights,
  parameterSpecs,
  totalSize,
  unpack,
  unpackArrays,
} from '../learning/model/parameters.ts'
import { addPixels, noPixels, pixelStatistics } from '../learning/data/partition.ts'
import { stream } from '../learning/random.ts'
import { tensorflowEnvironment, tf } from '../learning/tensorflow/tf.ts'
import { train } from '../learning/training/train.ts'

const [steps = 200] = process.argv.slice(2).map(Number)
const spec = dataSchema.parse({ name: 'digits' })
const { labels, images, facts } = await readDataset(spec, await findDataDirectory(spec, {}))
const indices = Int32Array.from(labels, (_, i) => i)
const pixels = await images(0, labels.length)
const sums = addPixels(noPixels, pixels, indices, facts.shape)
const { mean, deviation } = pixelStatistics(sums, labels.length * facts.shape[0] * facts.shape[1])
const data = new DeviceData(pixels, Int32Array.from(labels), {
  shape: facts.shape,
  classes: facts.classes.length,
  mean: [...mean],
  deviation: [...deviation],
})
const layers = layersOf(modelSchema.parse({ name: 'mlp', hidden: [64, 64] }), facts.shape, data.classes)
const training = trainingSchema.parse({ epochs: 1, batchSize: 64 })
const { trained } = parameterSpecs(layers)
const perEpoch = Math.floor(indices.length / training.batchSize)

const initial = (seed: number) => initialWeights(parameterSpecs(layers), stream(seed, 'bench', 'weights'))
const seeds = (k: number) => Array.from({ length: k }, (_, i) => i + 1)

async function oneAfterTheOther(k: number): Promise<Float32Array[]> {
  const models: Float32Array[] = []
  for (const seed of seeds(k)) {
    const options = { layers, data, indices, training, seed, purpose: 'bench', initial: initial(seed) }
    const { weights } = await fit({ ...training, ...options, epochs: steps / perEpoch })
    models.push(weights.trained)
  }
  return models
}

async function asOne(k: number): Promise<Float32Array[]> {
  const batches = seeds(k).map((seed) => new Batches(indices, training.batchSize, seed, 'bench'))
  const stacked = trained.map((one) => ({ ...one, shape: [k, ...one.shape] }))
  const each = seeds(k).map((seed) => unpackArrays(trained, initial(seed).trained))
  const start = new Float32Array(k * totalSize(trained))
  let offset = 0
  for (const { name } of trained)
    for (const arrays of each) {
      const { values = new Float32Array() } = arrays[name] ?? {}
      start.set(values, offset)
      offset += values.length
    }
  const { parameters } = await train({
    initial: start,
    steps,
    optimizer: training.optimizer,
    schedule: training.schedule,
    loss: (flat, step) => {
      const batch = Int32Array.from(batches.flatMap((one) => [...one.at(step)]))
      const logits = forward(unpack(stacked, flat), data.images(batch).reshape([k, training.batchSize, -1]))
      const labels = tf.tensor1d(labelsAt(data.labels, batch), 'int32')
      const hot = tf.oneHot(labels, data.classes).reshape<Tensor3D>([k, training.batchSize, data.classes])
      // The gradient of the sum is each model's own gradient.
      return tf.logSoftmax(logits).mul(hot).sum(2).mean(1).sum().neg().asScalar()
    },
  })
  const flat = tf.tensor1d(parameters)
  const parts = unpack(stacked, flat)
  const models = await Promise.all(
    seeds(k).map(async (_, m) => {
      const own = tf.tidy(() =>
        tf.concat(trained.map(({ name }) => (parts[name] as Tensor).gather([m], 0).reshape<Tensor1D>([-1]))),
      )
      const values = (await own.data()) as Float32Array
      own.dispose()
      return values
    }),
  )
  tf.dispose([flat, ...Object.values(parts)])
  return models
}

/** The forward pass of all models. x and the result are [k, batch, features]. */
function forward(parameters: Readonly<Record<string, Tensor>>, x: Tensor): Tensor3D {
  return layers.reduce((value, layer) => {
    switch (layer.kind) {
      case 'linear': {
        const product = tf.matMul(value, parameters[`${layer.name}.weight`] as Tensor3D)
        return product.add((parameters[`${layer.name}.bias`] as Tensor).expandDims(1))
      }
      case 'relu':
        return value.relu()
      default:
        return value
    }
  }, x) as Tensor3D
}

const timed = async (work: (k: number) => Promise<Float32Array[]>, k: number) => {
  const start = performance.now()
  const models = await work(k)
  return { models, seconds: (performance.now() - start) / 1000 }
}
const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

await oneAfterTheOther(1)
await asOne(2)
const { version, device, threads } = tensorflowEnvironment()
console.log(
  `TensorFlow ${version}, ${device}, ${threads} threads; ${steps} steps of each model, 3 rounds in turn`,
)
for (const k of [8, 32]) {
  const ratios: number[] = []
  let apart = 0
  let lines = ''
  for (let round = 0; round < 3; round++) {
    const [series, one] = [await timed(oneAfterTheOther, k), await timed(asOne, k)]
    ratios.push(series.seconds / one.seconds)
    lines = `${series.seconds.toFixed(2)} s one after the other, ${one.seconds.toFixed(2)} s as one`
    series.models.forEach((model, m) => {
      model.forEach((value, i) => (apart = Math.max(apart, Math.abs(value - (one.models[m]?.[i] ?? NaN)))))
    })
  }
  console.log(
    `k = ${k}: ${median(ratios).toFixed(2)} times as fast (from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}; ` +
      `last round: ${lines}); weights at most ${apart.toExponential(1)} apart`,
  )
}
