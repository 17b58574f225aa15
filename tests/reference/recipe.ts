import { layersOf } from '../../experiment/models/model.ts'
import { modelSchema } from '../../experiment/spec/model.ts'
import { trainingSchema } from '../../experiment/spec/training.ts'
import { Batches } from '../../learning/data/batches.ts'
import { DeviceData } from '../../learning/data/device-data.ts'
import { initialWeights, parameterSpecs, type ParameterSpec } from '../../learning/model/parameters.ts'
import { stream } from '../../learning/random.ts'

/**
 * Three steps of the recipe of airbench that PyTorch takes as well as Zeroshift, by SGD and by
 * Muon: a small network of the same structure, twelve images and batches of four.
 *
 *     npx tsx tests/reference/recipe.ts > input.json      make_recipe.py starts from it
 */
export const seed = 1
export const purpose = 'recipe'
export const shape = [25, 25, 3] as const
const classes = 3
const samples = 12
const [mean, deviation] = [120, 70]

export const layers = layersOf(modelSchema.parse({ name: 'airbench', widths: [5, 6, 7] }), shape, classes)
export const indices = Int32Array.from({ length: samples }, (_, i) => i)

const shared = {
  epochs: 1,
  batchSize: 4,
  schedule: { name: 'linear', from: 0.2, peak: 0.5, to: 0.07 },
  lookahead: { every: 2, decay: 0.9 },
  labelSmoothing: 0.2,
}
const groups = [
  { layers: ['*.norm'], rate: 8 },
  { layers: ['whiten'], until: 0.5 },
  { layers: ['head'], rate: 1 / 81 },
]

export const trainings = {
  sgd: trainingSchema.parse({
    ...shared,
    optimizer: {
      ...{ name: 'sgd', learningRate: 0.5, momentum: 0.85, nesterov: true, weightDecay: 0.1 },
      groups,
    },
  }),
  muon: trainingSchema.parse({
    ...shared,
    optimizer: {
      ...{ name: 'muon', learningRate: 0.24, momentum: 0.6 },
      others: { learningRate: 0.5, momentum: 0.85, weightDecay: 0.1 },
      groups,
    },
  }),
}

export type Input = ReturnType<typeof input>

export function input() {
  const random = stream(seed, 'recipe', 'images')
  const specs = parameterSpecs(layers)
  const weights = initialWeights(specs, stream(seed, 'recipe', 'weights'))
  const batches = new Batches(indices, shared.batchSize, seed, purpose)
  const named = (list: readonly ParameterSpec[]) => list.map(({ name, shape }) => ({ name, shape }))
  return {
    shape,
    mean,
    deviation,
    images: Array.from({ length: samples * 25 * 25 * 3 }, () => random.integer(256)),
    labels: Array.from({ length: samples }, (_, i) => i % classes),
    batches: [0, 1, 2].map((step) => [...batches.at(step)]),
    trained: named(specs.trained),
    statistics: named(specs.statistics),
    weights: { trained: [...weights.trained], statistics: [...weights.statistics] },
    trainings,
  }
}

/** The images of the problem. The caller disposes of them. */
export function recipeData({ images, labels }: Input): DeviceData {
  return new DeviceData(Uint8Array.from(images), Int32Array.from(labels), {
    shape,
    classes,
    mean: [mean, mean, mean],
    deviation: [deviation, deviation, deviation],
  })
}

if (process.argv[1] === import.meta.filename) console.log(JSON.stringify(input()))
