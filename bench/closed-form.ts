/**
 * The time of retraining beside that of `rfa` of the head alone in closed form, as in
 * configs/experiments/cifar10-class.yaml: a ResNet-8, 34,200 retained and 3,800 forgotten images of
 * CIFAR-10's shape, of which the closed form reads 8,000 and all forgotten ones. The images and the
 * weights are random, on which the times do not depend. Retraining is computed from its number of
 * steps and the median time of single steps, which alternate with the closed form.
 *
 *     node --import tsx bench/closed-form.ts [ROUNDS]
 */
import { DeviceData } from '../learning/data/device-data.ts'
import { layersOf } from '../experiment/models/model.ts'
import { methodSchema } from '../experiment/spec/methods.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { trainingSchema } from '../experiment/spec/training.ts'
import { fit } from '../learning/training/fit.ts'
import { initialWeights, parameterSpecs } from '../learning/model/parameters.ts'
import { stream } from '../learning/random.ts'
import { tensorflowEnvironment } from '../learning/tensorflow/tf.ts'
import { unlearn } from '../unlearning/methods/rfa.ts'

const [rounds = 5] = process.argv.slice(2).map(Number)
const RETAINED = 34_200
const FORGOTTEN = 3_800
/** The steps that are timed at once: enough for a graph, like those of a whole training. */
const TIMED_STEPS = 40

const random = stream(1, 'bench')
const images = Uint8Array.from({ length: (RETAINED + FORGOTTEN) * 3072 }, () => random.integer(256))
// The last class is forgotten.
const labels = Int32Array.from({ length: RETAINED + FORGOTTEN }, (_, i) => (i < RETAINED ? i % 9 : 9))
const data = new DeviceData(images, labels, {
  ...{ shape: [32, 32, 3], classes: 10 },
  ...{ mean: [128, 128, 128], deviation: [64, 64, 64] },
})
const layers = layersOf(modelSchema.parse({ name: 'resnet-cifar', depth: 8 }), [32, 32, 3], 10)
const original = initialWeights(parameterSpecs(layers), stream(1, 'weights'))
const training = trainingSchema.parse({
  epochs: 10,
  optimizer: { name: 'sgd', learningRate: 0.1, nesterov: true, weightDecay: 5e-4 },
  augment: { crop: 4, flip: true },
})
const retained = Int32Array.from({ length: RETAINED }, (_, i) => i)
const forget = Int32Array.from({ length: FORGOTTEN }, (_, i) => RETAINED + i)
const method = methodSchema.parse({
  ...{ method: 'rfa', target: 'leave-out', start: 'closed-form', steps: 0 },
  ...{ layers: ['head'], rank: 10, retainedSamples: 8000 },
})
if (method.method !== 'rfa') throw new Error(method.method)
const context = { layers, original, data, retained, forget, validation: new Int32Array(), training, seed: 1 }

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

/** The steps of a training, less what only their beginning takes. */
async function stepSeconds(): Promise<number> {
  const run = (steps: number) => () =>
    fit({
      ...{ ...training, layers, initial: original, data, training, seed: 1, purpose: 'bench' },
      ...{ indices: retained, epochs: steps / Math.floor(RETAINED / training.batchSize) },
    })
  const [short, long] = [await seconds(run(TIMED_STEPS)), await seconds(run(2 * TIMED_STEPS))]
  return (long - short) / TIMED_STEPS
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

const steps = training.epochs * Math.floor(RETAINED / training.batchSize)
const times: { retraining: number; closedForm: number }[] = []
await seconds(() => unlearn(method, context))
for (let round = 0; round < rounds; round++)
  times.push({
    retraining: steps * (await stepSeconds()),
    closedForm: await seconds(() => unlearn(method, context)),
  })
const { version, device, threads } = tensorflowEnvironment()
console.log(`TensorFlow ${version}, ${device}, ${threads} threads; medians of ${rounds} rounds in turn`)
console.log(`retraining (${steps} steps):  ${median(times.map(({ retraining }) => retraining)).toFixed(0)} s`)
console.log(`closed form of the head:  ${median(times.map(({ closedForm }) => closedForm)).toFixed(2)} s`)
console.log(`ratio:  ${median(times.map((one) => one.retraining / one.closedForm)).toFixed(0)}`)
