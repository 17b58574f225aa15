import { describe, expect, test } from 'vitest'
import { keepStates, keptStates } from '../../../../activities/stages/kept-states.ts'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import type { ManifestOf } from '../../../../experiment/records/manifest.ts'
import { layersOf } from '../../../../experiment/models/model.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import { trainingSchema } from '../../../../experiment/spec/training.ts'
import { TrainingBatches, type LateSamples } from '../../../../learning/data/training-batches.ts'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { fit } from '../../../../learning/training/fit.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { seenByMethod } from '../../../../report/samples-seen.ts'
import type { Unlearned } from '../../../../unlearning/method.ts'
import { unlearn } from '../../../../unlearning/methods/replay.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { all, context, deviceData, methodSpec, toyModels } from '../../../support/toy.ts'

const SEED = 5
const seen = (metrics: Unlearned['metrics']) =>
  seenByMethod(
    {
      method: methodSpec({ method: 'replay' }),
      training: trainingSchema.parse({ epochs: 1 }),
    },
    metrics,
    { retained: 300, forget: 100, classes: 4, forgottenClasses: 1 },
  )
const layersByName = {
  ...toyModels,
  mlp: layersOf(modelSchema.parse({ name: 'mlp', hidden: [12] }), [6, 6, 1], 4),
}
const brief = { epochs: 3, batchSize: 32, optimizer: { name: 'adam', learningRate: 5e-3 } }
const late: LateSamples = { samples: all.filter((i) => i % 5 === 0), last: 0.4 }

interface Case {
  readonly model: keyof typeof layersByName
  readonly training: object
  readonly microBatches?: number
  readonly late?: LateSamples
  /** The step (counted from 0) whose samples are forgotten. */
  readonly forgottenIn?: number
  /** How many of the samples of that step. */
  readonly count?: number
  readonly keptAfter: number
}

const cases: readonly (Case & { readonly title: string })[] = [
  { title: 'a perceptron', model: 'mlp', training: {}, keptAfter: 7 },
  { title: 'a convolutional network', model: 'cnn', training: {}, keptAfter: 7 },
  {
    title: 'augmentation',
    model: 'cnn',
    training: { augment: { crop: 1, flip: true } },
    keptAfter: 7,
  },
  {
    title: 'alternating flips',
    model: 'cnn',
    training: { augment: { crop: 1, padding: 'reflect', flip: 'alternating' } },
    keptAfter: 7,
  },
  {
    title: 'micro-batches and batch norms',
    model: 'resnet',
    training: { epochs: 1, augment: { flip: true } },
    microBatches: 3,
    keptAfter: 7,
  },
  {
    title: 'averages, momentum and warm-up',
    model: 'mlp',
    training: {
      optimizer: { name: 'sgd', learningRate: 0.05 },
      lookahead: { every: 3, decay: 0.9 },
      warmupEpochs: 1,
    },
    keptAfter: 7,
  },
  {
    title: 'batches that are empty',
    model: 'mlp',
    training: { batchSize: 4 },
    forgottenIn: 60,
    count: 4,
    keptAfter: 55,
  },
  {
    title: 'late samples',
    model: 'mlp',
    training: {},
    late,
    forgottenIn: 28,
    keptAfter: 22,
  },
]

/** The original's training with the states that it keeps. */
function trainingOf({ model, training: options, microBatches, late, keptAfter, ...chosen }: Case) {
  const layers = layersByName[model]
  const training = trainingSchema.parse({ ...brief, ...options })
  const initial = initialWeights(parameterSpecs(layers), stream(SEED, 'weights'))
  const { epochs, batchSize } = training
  const run = { ...training, indices: all, epochs, batchSize, seed: SEED, purpose: 'train', late }
  const batches = new TrainingBatches(run)
  const drawn = batches.at(chosen.forgottenIn ?? 9).drawn
  const some = late ? drawn.filter((i) => i % 5 === 0) : drawn
  const forget = some.slice(0, chosen.count ?? 5)
  const fitted = async (host: Partial<Host>, without?: Int32Array) => {
    const data = deviceData()
    const parts = microBatches === undefined ? {} : { microBatches }
    const withStep = { ...parts, step: () => Promise.resolve(), ...host }
    const result = await fit({ ...run, layers, initial, data, training, without, host: withStep })
    data.dispose()
    return result
  }
  const states: Snapshot[] = []
  const original = fitted({
    step: async ({ step }, take) => {
      if (take && (step === 2 || step === keptAfter)) states.push(await take())
    },
  })
  const replayed = async (host: Partial<Host> = {}) => {
    const data = deviceData()
    const { weights } = await original
    const result = await unlearn(methodSpec({ method: 'replay' }), {
      ...context(layers, weights, data),
      ...{ training, forget, retained: all.filter((i) => !forget.includes(i)) },
      trained: {
        ...{ seed: SEED, late, initial: () => Promise.resolve(initial) },
        states: states.map((state) => ({ step: state.step, read: () => Promise.resolve(state) })),
      },
      host: {
        ...(microBatches !== undefined && { microBatches }),
        ...{ step: () => Promise.resolve(), ...host },
      },
    })
    data.dispose()
    return result
  }
  return { batches, forget, original, fitted, replayed }
}

describe.each(cases)('replay with $title', (one) => {
  const { batches, forget, original, fitted, replayed } = trainingOf(one)

  test('has the bytes of the training without these samples, and repeats its end alone', async () => {
    const { weights, metrics } = await replayed()
    expect(weights).toEqual((await fitted({}, forget)).weights)
    expect(weights).not.toEqual((await original).weights)
    expect(metrics.replay).toMatchObject({ from: one.keptAfter, of: batches.steps })
    expect(metrics.steps).toBe(batches.steps - one.keptAfter)
    expect(metrics.samplesUsed.forget).toBe(0)
    const read = Array.from({ length: metrics.steps }, (_, i) => [...batches.at(one.keptAfter + i).drawn])
    const { length } = read.flat().filter((i) => !forget.includes(i))
    expect(metrics.replay?.samples).toBe(length)
    expect(seen(metrics)).toEqual({ value: length })
    expect(metrics.curve[0]?.step).toBeGreaterThan(one.keptAfter)
  })

  test('has the same bytes if it was interrupted', async () => {
    const whole = await replayed()
    const stop = one.keptAfter + Math.floor(whole.metrics.steps / 2)
    let left: Snapshot | undefined
    const interrupted = replayed({
      step: async ({ step }, take) => {
        if (step !== stop) return
        left = await take?.()
        throw new Error('killed')
      },
    })
    await expect(interrupted).rejects.toThrow('killed')
    expect(await replayed({ snapshot: left })).toEqual(whole)
  })
})

test('a step without samples leaves the weights as they are', async () => {
  const one = cases.find(({ title }) => title === 'batches that are empty')
  if (!one) throw new Error('the case is missing')
  const { batches, fitted, forget } = trainingOf(one)
  const parameters: Float32Array[] = []
  await fitted(
    {
      step: async ({ step = 0 }, take) => {
        const state = await take?.()
        if (state && (step === 60 || step === 61))
          parameters.push(state.vectors.parameters ?? new Float32Array())
      },
    },
    forget,
  )
  expect(
    new TrainingBatches({
      ...one,
      indices: all,
      batchSize: 4,
      epochs: 3,
      seed: SEED,
      purpose: 'train',
      without: forget,
    }).at(60).samples,
  ).toHaveLength(0)
  expect(batches.at(60).drawn).toHaveLength(4)
  expect(parameters[1]).toEqual(parameters[0])
})

test('without a state before the first forgotten sample, the whole training is repeated', async () => {
  const { batches, forget, fitted, replayed } = trainingOf({
    ...{ model: 'mlp', training: {}, forgottenIn: 1, keptAfter: 7 },
  })
  const { weights, metrics } = await replayed()
  expect(metrics.replay?.from).toBe(0)
  expect(metrics.steps).toBe(batches.steps)
  expect(weights).toEqual((await fitted({}, forget)).weights)
})

describe('the order of late samples', () => {
  const options = { indices: all, batchSize: 32, epochs: 3, seed: SEED, purpose: 'train' }
  const batches = new TrainingBatches({ ...options, late })
  const isLate = (i: number) => late.samples.includes(i)

  test('reads them in the last part of the steps only', () => {
    const steps = Array.from({ length: batches.steps }, (_, step) => batches.at(step).samples.some(isLate))
    expect(batches.steps).toBe(36)
    expect(steps.indexOf(true)).toBe(22)
    expect(steps.slice(22).filter(Boolean).length).toBeGreaterThan(12)
  })

  test('reads all samples early if all are late', () => {
    const none = new TrainingBatches({ ...options, late: { samples: all, last: 0.4 } })
    expect([...none.at(0).samples]).toEqual([...new TrainingBatches(options).at(0).samples])
  })
})

describe('kept states', () => {
  const stopAfter = (stop: number): { readonly host: Host; readonly left: () => Snapshot | undefined } => {
    let left: Snapshot | undefined
    return {
      left: () => left,
      host: {
        step: async ({ step }, take) => {
          if (step !== stop) return
          left = await take?.()
          throw new Error('killed')
        },
      },
    }
  }
  const { fitted } = trainingOf({ model: 'cnn', training: {}, keptAfter: 7 })
  const never: Host = { step: () => Promise.resolve() }

  test('are the same blobs if the training was interrupted between them', async () => {
    const artifacts = openArtifacts(fileDirectory())
    const whole = await keepStates(never, artifacts, [3, 9, 20])
    const { weights } = await fitted(whole.host)
    expect(Object.keys(whole.outputs())).toEqual(['state.3', 'state.9', 'state.20'])

    const other = openArtifacts(fileDirectory())
    const { host, left } = stopAfter(12)
    const first = await keepStates(host, other, [3, 9, 20])
    await expect(fitted(first.host)).rejects.toThrow('killed')
    const second = await keepStates({ ...never, snapshot: left() }, other, [3, 9, 20])
    expect((await fitted(second.host)).weights).toEqual(weights)
    expect(second.outputs()).toEqual(whole.outputs())
    expect(await other.holds(Object.values(second.outputs()))).toBe(true)

    // A store that has lost a state gets it again.
    const empty = openArtifacts(fileDirectory())
    const third = await keepStates({ ...never, snapshot: left() }, empty, [3, 9, 20])
    expect(third.host.snapshot).toBeUndefined()
    expect((await fitted(third.host)).weights).toEqual(weights)
    expect(third.outputs()).toEqual(whole.outputs())
  })

  test('are read in the order of their steps, and the training goes on from each', async () => {
    const artifacts = openArtifacts(fileDirectory())
    const keeping = await keepStates(never, artifacts, [9, 10])
    const { weights } = await fitted(keeping.host)
    const manifest = { outputs: keeping.outputs() } as unknown as ManifestOf<'train'>
    const states = keptStates(artifacts, manifest)
    expect(states.map(({ step }) => step)).toEqual([9, 10])
    for (const { read } of states) expect((await fitted({ snapshot: await read() })).weights).toEqual(weights)
  })
})
