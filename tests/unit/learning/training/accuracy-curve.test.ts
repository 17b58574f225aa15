import { expect } from 'vitest'
import { initialWeights, parameterSpecs } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import type { AccuracyChecks } from '../../../../learning/training/accuracy-curve.ts'
import { fit } from '../../../../learning/training/fit.ts'
import type { Snapshot } from '../../../../learning/training/host.ts'
import { tuneModel, type TuneSpec } from '../../../../learning/training/tune.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { test } from '../../../support/device-data.ts'
import { accuracyOn, all, deviceData, toyModels, training, validation } from '../../../support/toy.ts'

// Batch norms make the statistics count, which steps change beside the parameters.
const layers = toyModels.resnet
const samples = { training: all.subarray(0, 90), validation }

/** A training of 36 steps, 12 an epoch. */
function options(changes: object, checks?: AccuracyChecks) {
  return {
    ...{ ...training, layers, training, indices: all, seed: 1, purpose: 'test' },
    initial: initialWeights(parameterSpecs(layers), stream(1, 'weights')),
    epochs: 3,
    ...changes,
    ...(checks && { accuracyChecks: checks }),
  }
}

const lookahead = { every: 5, decay: 0.9 }

test.for([{}, { lookahead }])(
  'weights are the same bits with and without it (%o)',
  async (changes, { data }) => {
    const plain = await fit({ ...options(changes), data })
    const measured = await fit({ ...options(changes, { every: 1, samples }), data })
    expect(measured.weights).toEqual(plain.weights)
    expect(measured.curve).toEqual(plain.curve)
    expect(plain).not.toHaveProperty('accuracy')
    expect(measured.accuracy).toHaveLength(3)
  },
)

test('the last point is the accuracy of the model that was trained', async ({ data }) => {
  const { weights, accuracy } = await fit({ ...options({}, { every: 1, samples }), data })
  expect(accuracy?.map(({ step, epoch }) => [step, epoch])).toEqual([
    [12, 1],
    [24, 2],
    [36, 3],
  ])
  expect(accuracy?.at(-1)).toEqual({
    ...{ step: 36, epoch: 3 },
    training: { value: await accuracyOn(samples.training, layers, weights, data) },
    validation: { value: await accuracyOn(validation, layers, weights, data) },
  })
})

test('a point in between is the accuracy of the model at that step', async ({ data }) => {
  let weights: Snapshot['vectors'] = {}
  const host = {
    step: async ({ step }: { step?: number }, take?: () => Promise<Snapshot>) => {
      if (step === 12 && take) weights = (await take()).vectors
    },
  }
  const { accuracy } = await fit({ ...options({ host }, { every: 1, samples }), data })
  const { parameters, statistics } = weights
  if (!parameters || !statistics) throw new Error('there is no snapshot of step 12')
  const at = { trained: parameters, statistics }
  expect(accuracy?.[0]?.training).toEqual({ value: await accuracyOn(samples.training, layers, at, data) })
  expect(accuracy?.[0]?.validation).toEqual({ value: await accuracyOn(validation, layers, at, data) })
})

test('a training that ends within an epoch has a point at its end, and every n epochs before', async ({
  data,
}) => {
  const { accuracy, steps } = await fit({ ...options({ epochs: 3.5 }, { every: 2, samples }), data })
  expect(steps).toBe(42)
  expect(accuracy?.map(({ epoch }) => epoch)).toEqual([2, 3.5])
})

test('without validation samples there is the accuracy on training samples alone', async ({ data }) => {
  const checks = { every: 3, samples: { ...samples, validation: new Int32Array() } }
  const { accuracy } = await fit({ ...options({}, checks), data })
  expect(Object.keys(accuracy?.[0] ?? {})).toEqual(['step', 'epoch', 'training'])
})

test('a training that continues from a snapshot has the earlier points', async ({ data }) => {
  const taken: Snapshot[] = []
  const host = {
    step: async ({ step }: { step?: number }, take?: () => Promise<Snapshot>) => {
      if (step === 30 && take) taken.push(await take())
    },
  }
  const whole = await fit({ ...options({ host }, { every: 1, samples }), data })
  const [snapshot] = taken
  const steps: number[] = []
  const again = {
    snapshot: snapshot && structuredClone(snapshot),
    step: ({ step }: { step?: number }) => {
      if (step !== undefined) steps.push(step)
      return Promise.resolve()
    },
  }
  const resumed = await fit({ ...options({ host: again }, { every: 1, samples }), data })
  expect(steps).toEqual([31, 32, 33, 34, 35, 36])
  expect(resumed).toEqual(whole)
  expect(resumed.accuracy).toHaveLength(3)
})

test('measuring is not counted as work of the training, and leaves no tensor', async () => {
  const data = deviceData()
  const inside: boolean[] = []
  let isUntimed = false
  const untimed = async <T>(work: () => Promise<T>) => {
    isUntimed = true
    const result = await work()
    isUntimed = false
    return result
  }
  const host = {
    step: ({ step }: { step?: number }) => {
      if (step === undefined) inside.push(isUntimed)
      return Promise.resolve()
    },
  }
  await fit({ ...options({ host }, { every: 1, samples, untimed }), data })
  // One batch of either set at each of three points.
  expect(inside).toEqual(new Array(6).fill(true))
  const before = tf.memory().numTensors
  await fit({ ...options({ host }, { every: 1, samples, untimed }), data })
  expect(tf.memory().numTensors).toBe(before)
  data.dispose()
})

const tuned: readonly TuneSpec[] = [{ what: 'head' }, { what: 'lora', rank: 2, rslora: false, layers: ['*'] }]

test.for(tuned)(
  'a training of a part of the model is measured in the same way (%o)',
  async (tune, { data }) => {
    const plain = await tuneModel(tune, { ...options({}), data })
    const { accuracy, ...measured } = await tuneModel(tune, { ...options({}, { every: 1, samples }), data })
    expect(measured).toEqual(plain)
    expect(accuracy).toHaveLength(3)
    expect(accuracy?.at(-1)?.training).toEqual({
      value: await accuracyOn(samples.training, layers, measured.weights, data),
    })
  },
)
