import { beforeAll, expect, test } from 'vitest'
import {
  isNotUnlearned,
  methodSchema,
  methodSchemas,
  type BuiltInMethodName,
} from '../../experiment/spec/methods.ts'
import type { Host, Snapshot } from '../../learning/training/host.ts'
import type { Weights } from '../../learning/model/parameters.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { loadMethod, type Unlearned } from '../../unlearning/method.ts'
import {
  accuracyOn,
  brighterData,
  context,
  deviceData,
  forget,
  longerData,
  methodSpec,
  poisonedData,
  retained,
  toyModels,
  trainedOriginal,
} from './toy.ts'

const configured: Readonly<Partial<Record<BuiltInMethodName, unknown>>> = {
  finetune: methodSpec({ method: 'finetune', epochs: 1 }),
  'random-label': methodSpec({ method: 'random-label', epochs: 2 }),
  'gradient-ascent': methodSpec({
    method: 'gradient-ascent',
    epochs: 3,
    optimizer: { name: 'sgd', learningRate: 0.02 },
  }),
  'neggrad-plus': methodSpec({ method: 'neggrad-plus', epochs: 2, batchSize: 64 }),
  'l1-sparse': methodSpec({ method: 'l1-sparse', epochs: 2, batchSize: 64 }),
  'bad-teacher': methodSpec({
    method: 'bad-teacher',
    epochs: 6,
    batchSize: 32,
    optimizer: { name: 'adam', learningRate: 5e-3 },
  }),
  scrub: methodSpec({
    method: 'scrub',
    batchSize: 32,
    forgetBatch: 32,
    optimizer: { name: 'sgd', learningRate: 0.01 },
  }),
  'boundary-shrink': methodSpec({
    method: 'boundary-shrink',
    epochs: 4,
    batchSize: 32,
    optimizer: { name: 'sgd', learningRate: 5e-3 },
  }),
  'boundary-expand': methodSpec({
    method: 'boundary-expand',
    epochs: 2,
    batchSize: 64,
    optimizer: { name: 'sgd', learningRate: 5e-3 },
  }),
  unsir: methodSpec({ method: 'unsir', batchSize: 64, noiseSteps: 12, noiseBatches: 3 }),
  salun: methodSpec({
    method: 'salun',
    epochs: 2,
    batchSize: 32,
    optimizer: { name: 'adam', learningRate: 5e-3 },
  }),
  delete: methodSpec({
    method: 'delete',
    epochs: 6,
    batchSize: 32,
    optimizer: { name: 'adam', learningRate: 3e-3 },
  }),
  amun: methodSpec({
    method: 'amun',
    epsilon: 0.5,
    attackSteps: 5,
    epochs: 2,
    batchSize: 64,
    optimizer: { name: 'adam', learningRate: 5e-3 },
  }),
  'sfr-on': methodSpec({ method: 'sfr-on', iterations: 24, every: 3, batchSize: 32 }),
  ssd: methodSpec({ method: 'ssd', alpha: 1, batchSize: 20 }),
  damp: methodSpec({ method: 'damp', probeSamples: 40 }),
  fisher: methodSpec({ method: 'fisher', samples: 23, batchSize: 5 }),
  influence: methodSpec({ method: 'influence', samples: 40, damping: 0.1 }),
  'lora-random-label': methodSpec({
    method: 'lora-random-label',
    epochs: 6,
    optimizer: { name: 'adam', learningRate: 1e-2 },
  }),
  'lora-neggrad-plus': methodSpec({
    method: 'lora-neggrad-plus',
    epochs: 4,
    batchSize: 32,
    optimizer: { name: 'adam', learningRate: 3e-3 },
  }),
  rfa: methodSpec({
    method: 'rfa',
    rank: 4,
    steps: 40,
    optimizer: { name: 'adam', learningRate: 5e-3 },
    lambda: 2,
  }),
}

export const methodNames = methodSchemas.map(({ shape }) => shape.method.value).filter(isApproximate)

/**
 * The exact methods need states of the original's training, or give several models. They have tests
 * of their own.
 */
function isApproximate(
  name: (typeof methodSchemas)[number]['shape']['method']['value'],
): name is BuiltInMethodName {
  return !isNotUnlearned(name) && name !== 'replay' && name !== 'sisa'
}

const optionsOf = (name: BuiltInMethodName) =>
  methodSchemas.find(({ shape }) => shape.method.value === name)?.shape ?? {}

/** The options of a method: those above, or two epochs of batches of 64 if it has such options. */
export function specOf(name: BuiltInMethodName): unknown {
  const options = optionsOf(name)
  const brief = Object.entries({ epochs: 2, batchSize: 64 }).filter(([key]) => key in options)
  return configured[name] ?? methodSchema.parse({ method: name, ...Object.fromEntries(brief) })
}

/**
 * Methods that need the labels of a set of which they read no picture: unsir learns noise for the
 * classes of the forget set.
 */
const readsLabelsAlone: readonly BuiltInMethodName[] = ['unsir']

async function unlearn(
  name: BuiltInMethodName,
  layers: (typeof toyModels)['cnn'],
  original: Weights,
  data = deviceData(),
  host?: Host,
): Promise<Unlearned> {
  const run = (await loadMethod(name)) as (spec: unknown, context: unknown) => Promise<Unlearned>
  const result = await run(specOf(name), { ...context(layers, original, data), host })
  data.dispose()
  return result
}

/** Through JSON and back, so that a snapshot shares nothing with the run that left it. */
const plainVectors = (_: string, value: unknown) => (value instanceof Float32Array ? [...value] : value)

/** Tests the behaviour that all methods share on one of the toy models. */
export function describeMethods(model: keyof typeof toyModels): void {
  const layers = toyModels[model]

  let original: Weights
  beforeAll(async () => {
    const data = deviceData()
    original = trainedOriginal(model)
    expect(await accuracyOn(forget, layers, original, data)).toBeGreaterThan(90)
    data.dispose()
  })

  /** What each method makes of the original. The tests compare it with other computations. */
  const computed = new Map<BuiltInMethodName, Promise<Unlearned>>()
  const unlearned = (name: BuiltInMethodName): Promise<Unlearned> => {
    const result = computed.get(name) ?? unlearn(name, layers, original)
    computed.set(name, result)
    return result
  }

  test.each(methodNames)('%s moves the student, never the original', async (name) => {
    const { weights, metrics } = await unlearned(name)
    expect(original).toEqual(trainedOriginal(model))
    expect(weights.trained).not.toEqual(original.trained)
    // A method without an optimizer lowers no loss. Its steps are batches of gradients.
    expect(metrics.curve.at(-1)?.step).toBe('optimizer' in optionsOf(name) ? metrics.steps : undefined)
  })

  test.each(methodNames)(
    '%s gives the same bytes twice, whatever test samples there are, and leaves no tensor',
    async (name) => {
      const first = await unlearned(name)
      const before = tf.memory().numTensors
      const second = await unlearn(name, layers, original, longerData())
      expect(tf.memory().numTensors).toBe(before)
      expect(second).toEqual(first)
    },
  )

  test.each(methodNames)(
    '%s ends in the same bytes when it goes on from a snapshot of any step',
    async (name) => {
      const { steps } = (await unlearned(name)).metrics
      const chosen = [0, 0.4, 1].map((share) => Math.round(share * (steps - 1)))
      const snapshots = new Map<number, string>()
      let taken = 0
      const whole = await unlearn(name, layers, original, deviceData(), {
        step: async (_, take) => {
          const snapshot = await take?.()
          if (!snapshot) return
          if (chosen.includes(taken)) snapshots.set(taken, JSON.stringify(snapshot, plainVectors))
          taken++
        },
      })
      expect(whole).toEqual(await unlearned(name))
      expect(taken).toBe(whole.metrics.steps)
      for (const number of chosen) {
        const snapshot = JSON.parse(snapshots.get(number) ?? 'null') as Snapshot | null
        if (!snapshot) throw new Error('no snapshot')
        const vectors = Object.entries(snapshot.vectors).map(
          ([vector, values]) => [vector, Float32Array.from(values)] as const,
        )
        const host = {
          snapshot: { ...snapshot, vectors: Object.fromEntries(vectors) },
          step: () => Promise.resolve(),
        }
        expect(await unlearn(name, layers, original, deviceData(), host)).toEqual(whole)
      }
    },
  )

  test.each([
    'random-label',
    'gradient-ascent',
    'salun',
    'ssd',
    'influence',
    'lora-random-label',
    'lora-neggrad-plus',
    'rfa',
    'bad-teacher',
    'scrub',
    'boundary-shrink',
    'delete',
    'sfr-on',
  ] as const)('%s forgets the class', async (name) => {
    const { weights } = await unlearned(name)
    const data = deviceData()
    expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
    if (name !== 'gradient-ascent')
      expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
    data.dispose()
  })

  // Which samples a method reads does not depend on the kernels: it is tested with oneDNN alone.
  if (process.env.TF_ENABLE_ONEDNN_OPTS === '0') return
  test.each(methodNames)(
    '%s reads the sets of which it says that it uses samples, and no other',
    async (name) => {
      const expected = await unlearned(name)
      const { samplesUsed } = expected.metrics
      const sets = [
        { set: 'D_r', indices: retained, used: samplesUsed.retained },
        { set: 'D_f', indices: forget, used: samplesUsed.forget },
      ]
      for (const { set, indices, used } of sets) {
        if (used > 0) {
          const { weights } = await unlearn(name, layers, original, brighterData(indices))
          expect(weights, `the result depends on ${set}`).not.toEqual(expected.weights)
        } else {
          const poisoned = poisonedData(indices, { keepsLabels: readsLabelsAlone.includes(name) })
          const result = await unlearn(name, layers, original, poisoned)
          expect(result, `no sample of ${set} is read`).toEqual(expected)
        }
      }
    },
  )
}
