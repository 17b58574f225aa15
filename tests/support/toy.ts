import { readFileSync } from 'node:fs'
import { decodeTensors } from '../../artifacts/format/safetensors.ts'
import { methodSchema, type BuiltInMethodName, type MethodSpecOf } from '../../experiment/spec/methods.ts'
import { layersOf } from '../../experiment/models/model.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import { modelSchema } from '../../experiment/spec/model.ts'
import { trainingSchema } from '../../experiment/spec/training.ts'
import { DeviceData } from '../../learning/data/device-data.ts'
import { fit } from '../../learning/training/fit.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../learning/model/parameters.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import type { UnlearnContext } from '../../unlearning/method.ts'

/**
 * 400 noisy pictures of four classes, 6×6 grey pixels with one bright quadrant each, which a model
 * learns in a second. 40 more are never trained on.
 */
const shape = [6, 6, 1] as const
const count = 400
const unseen = 40
export const labels = Int32Array.from({ length: count + unseen }, (_, i) => i % 4)

export function pictures(): Uint8Array {
  const random = stream(1, 'pictures')
  return Uint8Array.from({ length: labels.length * 36 }, (_, p) => {
    const i = Math.floor(p / 36)
    const [y, x] = [Math.floor((p % 36) / 6), p % 6]
    const quadrant = 2 * Number(y >= 3) + Number(x >= 3)
    return Math.min(255, Math.max(0, (quadrant === labels[i] ? 150 : 90) + 40 * random.normal()))
  })
}

export const training = trainingSchema.parse({
  epochs: 15,
  batchSize: 32,
  optimizer: { name: 'adam', learningRate: 5e-3 },
})

export const toyModels: Readonly<Record<'cnn' | 'resnet', readonly Layer[]>> = {
  cnn: layersOf(modelSchema.parse({ name: 'cnn', channels: [4, 6], hidden: 12 }), shape, 4),
  resnet: layersOf(modelSchema.parse({ name: 'resnet-cifar', depth: 8, width: 4 }), shape, 4),
}

export const deviceData = (images = pictures(), given = labels) =>
  new DeviceData(images, given, { shape, classes: 4, mean: [105], deviation: [48] })

/**
 * The same data, where some samples have noise as pictures and, unless their labels stay, a label
 * of no class.
 */
export function poisonedData(samples: Int32Array, { keepsLabels = false } = {}): DeviceData {
  const random = stream(1, 'poison')
  const [images, given] = [pictures(), labels.slice()]
  for (const i of samples) {
    for (let pixel = 36 * i; pixel < 36 * (i + 1); pixel++) images[pixel] = Math.floor(256 * random.uniform())
    if (!keepsLabels) given[i] = 99
  }
  return deviceData(images, given)
}

/** The same data, where the pictures of some samples are slightly brighter. */
export function brighterData(samples: Int32Array): DeviceData {
  const images = pictures()
  for (const i of samples)
    for (let pixel = 36 * i; pixel < 36 * (i + 1); pixel++)
      images[pixel] = Math.min(255, (images[pixel] ?? 0) + 1)
  return deviceData(images)
}

/** The same data followed by more samples, as test samples are among the data of an experiment. */
export function longerData(): DeviceData {
  const random = stream(1, 'more')
  const more = Uint8Array.from({ length: 36 * unseen }, () => Math.floor(256 * random.uniform()))
  return deviceData(
    Uint8Array.from([...pictures(), ...more]),
    Int32Array.from([...labels, ...new Int32Array(unseen).fill(99)]),
  )
}

/** Class 2 is forgotten. */
export const all = Int32Array.from({ length: count }, (_, i) => i)
export const forget = all.filter((i) => labels[i] === 2)
export const retained = all.filter((i) => labels[i] !== 2)
/** Of every class, as where no class is forgotten whole. */
export const validation = Int32Array.from({ length: unseen }, (_, i) => count + i)

export async function trainOriginal(layers: readonly Layer[], data: DeviceData): Promise<Weights> {
  const initial = initialWeights(parameterSpecs(layers), stream(1, 'weights'))
  const { weights } = await fit({
    ...training,
    layers,
    initial,
    data,
    indices: all,
    training,
    seed: 1,
    purpose: 'train',
  })
  return weights
}

/** The file of weights that tests/reference/make_toy.ts wrote. */
export const toyOriginals = new URL('../reference/toy.safetensors', import.meta.url)

/**
 * Reads the weights that `trainOriginal` made of a toy model once, since training takes seconds.
 */
export function trainedOriginal(model: keyof typeof toyModels): Weights {
  const { tensors } = decodeTensors(readFileSync(toyOriginals))
  const vector = (name: string) => {
    const tensor = tensors[`${model}.${name}`]
    if (tensor?.dtype !== 'F32') throw new Error(`${toyOriginals.pathname} lacks "${model}.${name}"`)
    return tensor.values.slice()
  }
  return { trained: vector('trained'), statistics: vector('statistics') }
}

export function context(layers: readonly Layer[], original: Weights, data: DeviceData): UnlearnContext {
  return { layers, original, data, retained, forget, validation, training, seed: 1 }
}

export function methodSpec<N extends BuiltInMethodName>(
  spec: { method: N } & Record<string, unknown>,
): MethodSpecOf<N> {
  return methodSchema.parse(spec) as MethodSpecOf<N>
}

/** Accuracy in percent. */
export async function accuracyOn(
  indices: Int32Array,
  layers: readonly Layer[],
  weights: Weights,
  data: DeviceData,
): Promise<number> {
  const parameters = parametersOf(layers, weights)
  const logits = await predict(layers, parameters, data, indices, 128)
  tf.dispose(parameters)
  const right = indices.filter((sample, i) => {
    const row = logits.subarray(4 * i, 4 * i + 4)
    return row.indexOf(Math.max(...row)) === labels[sample]
  })
  return (100 * right.length) / indices.length
}
