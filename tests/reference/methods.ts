import type { BuiltInMethodName } from '../../experiment/spec/methods.ts'
import { layersOf } from '../../experiment/models/model.ts'
import { adaptableLayers, type Layer } from '../../experiment/models/layers.ts'
import { modelSchema } from '../../experiment/spec/model.ts'
import { trainingSchema } from '../../experiment/spec/training.ts'
import { DeviceData } from '../../learning/data/device-data.ts'
import { initialAdapter, lora } from '../../learning/model/lora.ts'
import { initialWeights, parameterSpecs, totalSize } from '../../learning/model/parameters.ts'
import { sample, stream } from '../../learning/random.ts'
import { relabelled } from '../../unlearning/methods/random-label.ts'
import { methodSpec } from '../support/toy.ts'

/**
 * A problem for each method that PyTorch solves as well as Zeroshift: a CNN of 108 parameters and
 * nine pictures. Each batch is a whole set, so that the order of samples does not matter.
 *
 *     npx tsx tests/reference/methods.ts > input.json      what make_methods.py starts from
 */
export const seed = 1
const shape = [4, 4, 1] as const
const classes = 3

export const layers: readonly Layer[] = layersOf(
  modelSchema.parse({ name: 'cnn', channels: [2, 3], hidden: 4 }),
  shape,
  classes,
)

const all = 9
const sets = { retained: [0, 1, 3, 4, 6, 7], forget: [2, 5, 8] }

const sgd = { name: 'sgd', learningRate: 0.05, weightDecay: 0.01 }

export const specs = {
  rfa: methodSpec({
    method: 'rfa',
    target: 'nearest-centroid',
    rank: 2,
    alpha: 3,
    lambda: 0.7,
    steps: 3,
    optimizer: { name: 'adam', learningRate: 0.01, weightDecay: 0.1 },
  }),
  salun: methodSpec({
    method: 'salun',
    share: 0.4,
    epochs: 3,
    optimizer: { name: 'sgd', learningRate: 0.1, weightDecay: 0.01 },
  }),
  ssd: methodSpec({ method: 'ssd', alpha: 0.3, lambda: 0.2, batchSize: 2 }),
  fisher: methodSpec({ method: 'fisher', alpha: 1e-3, power: 0.5, ceiling: 100, batchSize: 4 }),
  damp: methodSpec({ method: 'damp' }),
  scrub: methodSpec({
    method: 'scrub',
    alpha: 0.5,
    epochs: 2,
    maxEpochs: 1,
    optimizer: sgd,
  }),
  'bad-teacher': methodSpec({
    method: 'bad-teacher',
    retainedFraction: 1,
    temperature: 2,
    epochs: 3,
    // The first gradient on D_r is 0 but for rounding, which Adam would make a step of.
    optimizer: { name: 'sgd', learningRate: 0.1 },
  }),
  delete: methodSpec({ method: 'delete', epochs: 3, optimizer: { name: 'sgd', learningRate: 0.1 } }),
  ct: methodSpec({
    method: 'ct',
    epochs: 3,
    schedule: { name: 'constant' },
    optimizer: sgd,
  }),
  msg: methodSpec({
    method: 'msg',
    epochs: 3,
    share: 0.4,
    schedule: { name: 'constant' },
    optimizer: sgd,
  }),
  amun: methodSpec({
    method: 'amun',
    epsilon: 0.1,
    attackSteps: 5,
    epochs: 3,
    optimizer: sgd,
  }),
  'sfr-on': methodSpec({
    method: 'sfr-on',
    iterations: 2,
    every: 2,
    alpha: 5,
    maxNorm: 0.5,
    schedule: { name: 'constant' },
    optimizer: sgd,
  }),
  'cf-k': methodSpec({
    method: 'cf-k',
    k: 2,
    epochs: 3,
    optimizer: sgd,
  }),
  'eu-k': methodSpec({
    method: 'eu-k',
    k: 2,
    epochs: 3,
    optimizer: sgd,
  }),
} satisfies Partial<Record<BuiltInMethodName, unknown>>
export type ReferenceMethod = keyof typeof specs

/** The input of PyTorch, including everything that Zeroshift draws. */
export interface Input {
  readonly shape: readonly number[]
  readonly classes: number
  /** Bytes [n, h, w, c]; a pixel is (byte − mean) / deviation. */
  readonly images: readonly number[]
  readonly mean: number
  readonly deviation: number
  readonly labels: readonly number[]
  readonly sets: typeof sets
  /** Names, shapes and values of the parameters, as learning/model/parameters.ts packs them. */
  readonly parameters: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly original: readonly number[]
  readonly specs: typeof specs
  /** Drawn: A and B of rfa, y′ of salun, θ of bad-teacher's incompetent teacher. */
  readonly adapter: readonly number[]
  readonly adapterParameters: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly relabelled: readonly number[]
  readonly incompetent: readonly number[]
  /** Drawn: D_r′ and normal numbers of msg, θ of eu-k's new layers. */
  readonly retainedPart: readonly number[]
  readonly normals: readonly number[]
  readonly fresh: readonly number[]
  /** Drawn: the normal numbers of fisher, the samples of damp's probes. */
  readonly noise: readonly number[]
  readonly probe: Readonly<Record<keyof typeof sets, readonly number[]>>
}

export const training = trainingSchema.parse({ epochs: 1, batchSize: all })

export function deviceData({ images, labels, mean, deviation }: Input): DeviceData {
  return new DeviceData(Uint8Array.from(images), Int32Array.from(labels), {
    shape,
    classes,
    mean: [mean],
    deviation: [deviation],
  })
}

export function input(): Input {
  const random = stream(seed, 'reference', 'images')
  const parameters = parameterSpecs(layers)
  const adapter = lora(adaptableLayers(layers), specs.rfa)
  const labels = Array.from({ length: all }, (_, i) => i % classes)
  const named = parameters.trained.map(({ name, shape }) => ({ name, shape }))
  const data = { labels: Int32Array.from(labels), classes }
  const retained = Int32Array.from(sets.retained)
  const forget = Int32Array.from(sets.forget)
  const noise = stream(seed, 'fisher', 'noise')
  const probe = (indices: Int32Array, purpose: string) => [
    ...sample(indices, forget.length, stream(seed, 'damp', purpose)),
  ]
  const normals = stream(seed, 'msg', 'initial')
  return {
    shape,
    classes,
    images: Array.from({ length: all * 16 }, () => random.integer(256)),
    mean: 120,
    deviation: 70,
    labels,
    sets,
    parameters: named,
    original: [...initialWeights(parameters, stream(seed, 'reference', 'original')).trained],
    specs,
    adapter: [...initialAdapter(adapter, stream(seed, 'rfa', 'adapter'))],
    adapterParameters: adapter.specs.map(({ name, shape }) => ({ name, shape })),
    relabelled: [...relabelled({ data: data as DeviceData, forget, seed })],
    incompetent: [...initialWeights(parameters, stream(seed, 'bad-teacher', 'incompetent')).trained],
    retainedPart: [...sample(retained, sets.forget.length, stream(seed, 'msg', 'retained'))],
    normals: Array.from({ length: 50 }, () => normals.normal()),
    fresh: [...initialWeights(parameters, stream(seed, 'eu-k', 'initial')).trained],
    noise: Array.from({ length: totalSize(parameters.trained) }, () => noise.normal()),
    probe: { forget: probe(forget, 'forget'), retained: probe(retained, 'retained') },
  }
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(input()))
