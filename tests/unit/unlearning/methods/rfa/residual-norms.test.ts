import { expect } from 'vitest'
import { adaptableLayers } from '../../../../../experiment/models/layers.ts'
import { forward } from '../../../../../learning/model/forward.ts'
import { Batches } from '../../../../../learning/data/batches.ts'
import { parametersOf } from '../../../../../learning/model/predict.ts'
import { sample, stream } from '../../../../../learning/random.ts'
import type { Weights } from '../../../../../learning/model/parameters.ts'
import type { Host, Snapshot } from '../../../../../learning/training/host.ts'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { unlearn } from '../../../../../unlearning/methods/rfa.ts'
import { test } from '../../../../support/device-data.ts'
import {
  context,
  deviceData,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
  validation,
} from '../../../../support/toy.ts'

const layers = toyModels.cnn
const original = trainedOriginal('cnn')
const aligned = adaptableLayers(layers).map(({ name }) => name)
const options = {
  method: 'rfa' as const,
  optimizer: { name: 'adam', learningRate: 5e-3 },
  ...{ steps: 25, lambda: 2, retainedSamples: 200, retainedBatch: 60, forgetBatch: 30 },
}

async function rfa(changes: object, data: ReturnType<typeof deviceData>, host?: Host) {
  return unlearn(methodSpec({ ...options, ...changes }), { ...context(layers, original, data), host })
}

test.for([
  {},
  { target: 'leave-out' },
  { start: 'closed-form' },
  { distance: 'kl', layers: ['conv2', 'head'], align: ['conv2', 'head'] },
])('weights are the same bits with and without norms (%o)', async (changes, { data }) => {
  const plain = await rfa(changes, data)
  const { metrics, ...measured } = await rfa({ ...changes, norms: {} }, data)
  const { norms, ...rest } = metrics
  expect(measured).toEqual({ weights: plain.weights, adapter: plain.adapter })
  expect(rest).toEqual(plain.metrics)
  expect(norms?.points.map(({ step }) => step)).toEqual([0, 10, 20, 25])
})

/** Σ_x ‖v(x)‖² by layer of the layers' outputs, computed without the code that is tested. */
function squares(weights: Weights, from: Weights | undefined, indices: Int32Array): number[] {
  const data = deviceData()
  const features = (own: Weights) => {
    const parameters = parametersOf(layers, own)
    return forward(layers, parameters, data.images(indices), { capture: new Set(aligned) }).features
  }
  const [h, f] = [features(weights), from && features(from)]
  const result = aligned.map((name) => {
    const [a, b] = [h[name]?.dataSync() ?? [], f?.[name]?.dataSync()]
    return Array.from(a).reduce((sum, value, i) => sum + (value - (b?.[i] ?? 0)) ** 2, 0)
  })
  data.dispose()
  return result
}

test('they are the norms of the residual on the batches of a step, relative to the features', async ({
  data,
}) => {
  const { weights, metrics } = await rfa({ norms: { every: 7 } }, data)
  const { norms } = metrics
  expect(norms?.layers).toEqual(aligned)
  expect(norms?.points.map(({ step }) => step)).toEqual([0, 7, 14, 21, 25])
  const zeros = aligned.map(() => 0)
  expect(norms?.points[0]).toEqual({ step: 0, retained: zeros, forget: zeros })
  const drawn = sample(retained, 200, stream(1, 'rfa', 'retained'))
  const feature = squares(original, undefined, drawn)
  for (const [set, indices, size] of [
    ['retained', drawn, 60],
    ['forget', forget, 30],
  ] as const) {
    const batch = new Batches(indices, size, 1, `rfa ${set}`).at(24)
    const residual = squares(weights, original, batch)
    norms?.points.at(-1)?.[set].forEach((norm, i) => {
      const expected = Math.sqrt((residual[i] ?? NaN) / size / ((feature[i] ?? NaN) / drawn.length))
      expect(norm / expected).toBeCloseTo(1, 4)
      expect(norm).toBeGreaterThan(0.001)
    })
  }
})

test('the closed form alone has its norms, and a rule that ends early has those of its end', async ({
  data,
}) => {
  const solved = { start: 'closed-form', layers: ['head'], target: 'leave-out', norms: {} }
  const { metrics } = await rfa({ ...solved, steps: 0 }, data)
  expect(metrics.norms?.points.map(({ step }) => step)).toEqual([0])
  expect(metrics.norms?.points[0]?.forget[0]).toBeGreaterThan(0.1)
  const stop = { rule: 'unseen-accuracy', every: 3 }
  const stopped = await rfa(
    { steps: 60, optimizer: { name: 'adam', learningRate: 0.02 }, stop, norms: {} },
    data,
  )
  expect(stopped.metrics.steps).toBeLessThan(60)
  expect(stopped.metrics.norms?.points.at(-1)?.step).toBe(stopped.metrics.steps)
})

test('a run that continues from a snapshot has the earlier norms', async ({ data }) => {
  const taken: Snapshot[] = []
  const host: Host = {
    step: async ({ step }, take) => {
      if (step === 13 && take) taken.push(await take())
    },
  }
  const changes = { start: 'closed-form', norms: { every: 5 } }
  const whole = await rfa(changes, data, host)
  const [snapshot] = taken.map((one) => structuredClone(one))
  const resumed = await rfa(changes, data, { snapshot, step: () => Promise.resolve() })
  expect(snapshot?.notes.norms).toHaveLength(3)
  expect(resumed.metrics).toEqual(whole.metrics)
  expect(resumed.weights).toEqual(whole.weights)
})

test('micro-batches give the same norms, and nothing is left on the device', async ({ data }) => {
  const norms = { every: 25 }
  const whole = await rfa({ norms, steps: 1 }, data)
  const before = tf.memory().numTensors
  const parts = await rfa({ norms, steps: 1 }, data, { microBatches: 4, step: () => Promise.resolve() })
  expect(tf.memory().numTensors).toBe(before)
  const [one, other] = [whole, parts].map(({ metrics }) => metrics.norms?.points.at(-1)?.forget ?? [])
  one?.forEach((norm, i) => {
    expect((other?.[i] ?? NaN) / norm).toBeCloseTo(1, 3)
  })
})

test('norms are not counted as work of the method', async ({ data }) => {
  let untimed = 0
  const counted = {
    ...context(layers, original, data),
    validation,
    untimed: async <T>(work: () => Promise<T>) => {
      untimed++
      return work()
    },
  }
  await unlearn(methodSpec({ ...options, steps: 20, norms: {} }), counted)
  // The norms of the features once, and the points at the steps 0, 10 and 20.
  expect(untimed).toBeGreaterThanOrEqual(4)
})
