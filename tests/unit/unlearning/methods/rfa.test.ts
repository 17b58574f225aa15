import { describe, expect } from 'vitest'
import { targetNames } from '../../../../experiment/spec/target.ts'
import { adaptableLayers } from '../../../../experiment/models/layers.ts'
import type { Snapshot } from '../../../../learning/training/host.ts'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { unlearn } from '../../../../unlearning/methods/rfa.ts'
import { test } from '../../../support/device-data.ts'
import {
  accuracyOn,
  context,
  deviceData,
  forget,
  labels,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
  validation,
} from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

async function rfa(options: Record<string, unknown>) {
  const data = deviceData()
  const spec = methodSpec({
    method: 'rfa',
    optimizer: { name: 'adam', learningRate: 5e-3 },
    steps: 40,
    ...options,
  })
  const result = await unlearn(spec, context(layers, original, data))
  const accuracy = {
    retained: await accuracyOn(retained, layers, result.weights, data),
    forget: await accuracyOn(forget, layers, result.weights, data),
  }
  data.dispose()
  return { ...result, accuracy }
}

/**
 * The targets that shift features towards another class. The unseen ones leave x in its own class,
 * and leave-out has a separate teacher.
 */
const shifting = targetNames.filter((target) => !/unseen|leave-out/.test(target))

/**
 * Kept features come from larger batches than those of a step, which some processors round
 * differently.
 */
const rounding = 1e-9

test.each(shifting)('%s: residuals start at zero on D_r and shift on D_f', async (target) => {
  const { metrics, accuracy } = await rfa({ target, lambda: 2 })
  const [first, last] = [metrics.residuals?.[0], metrics.residuals?.at(-1)]
  expect(first?.step).toBe(1)
  expect(Math.abs(first?.retained ?? NaN)).toBeLessThan(rounding)
  expect(last?.step).toBe(40)
  expect(last?.forget).toBeLessThan(0.9 * (first?.forget ?? 0))
  expect(last?.retained).toBeLessThan(last?.forget ?? 0)
  expect(accuracy.forget).toBeLessThan(60)
  expect(accuracy.retained).toBeGreaterThan(85)
})

test('leave-out: steps come closer to the refit head on both sides, and the class is forgotten', async () => {
  const { metrics, accuracy } = await rfa({ target: 'leave-out' })
  const [first, last] = [metrics.residuals?.[0], metrics.residuals?.at(-1)]
  expect(first?.retained).toBeGreaterThan(0)
  expect(last?.forget).toBeLessThan(0.5 * (first?.forget ?? 0))
  expect(accuracy.forget).toBeLessThan(30)
  expect(accuracy.retained).toBeGreaterThan(95)
})

describe('the closed form', () => {
  const solved = { start: 'closed-form', steps: 0, layers: ['head'] }

  test('alone takes no step, and forgets the class', async () => {
    const { metrics, accuracy, weights, adapter } = await rfa({ ...solved, target: 'leave-out' })
    expect(metrics).toMatchObject({ steps: 0, curve: [], residuals: [] })
    expect(accuracy.forget).toBeLessThan(5)
    expect(accuracy.retained).toBeGreaterThan(95)
    expect(adapter?.parameters.some((value) => value !== 0)).toBe(true)
    expect(weights.trained).not.toEqual(original.trained)
  })

  test('is where gradient steps go on from', async () => {
    const cold = await rfa({ ...solved, start: 'zero', steps: 1, target: 'leave-out' })
    const warm = await rfa({ ...solved, steps: 1, target: 'leave-out' })
    const loss = ({ metrics }: typeof warm) => metrics.curve[0]?.loss ?? NaN
    expect(loss(warm)).toBeLessThan(0.1 * loss(cold))
  })

  test('goes through several layers, of which each makes up for what the ones before it do', async () => {
    const { accuracy } = await rfa({ ...solved, layers: ['stage3.*', 'head'], rank: 4, target: 'leave-out' })
    expect(accuracy.forget).toBeLessThan(30)
    expect(accuracy.retained).toBeGreaterThan(90)
  })
})

test('only the weights of the layers that a pattern names change', async () => {
  const { weights, metrics, adapter } = await rfa({ layers: ['stage3.*', 'head'], rank: 2 })
  const { trained } = parameterSpecs(layers)
  const before = unpackArrays(trained, original.trained)
  const after = unpackArrays(trained, weights.trained)
  const changed = trained
    .map(({ name }) => name)
    .filter((name) => before[name]?.values.some((value, i) => value !== after[name]?.values[i]))
  const expected = adaptableLayers(layers)
    .map(({ name }) => name)
    .filter((name) => name.startsWith('stage3.') || name === 'head')
  expect(changed).toEqual(expected.map((name) => `${name}.weight`))
  expect(adapter?.lora.layers.map(({ name }) => name)).toEqual(expected)
  expect(metrics.trainable).toBeLessThan(original.trained.length)
  expect(weights.statistics).toEqual(original.statistics)
})

test('layers to align may be others than those adapted', async () => {
  const { metrics } = await rfa({
    layers: ['stage1.*'],
    align: ['stage2.0.relu2', 'pool'],
    target: 'retained-mean',
    lambda: 2,
  })
  expect(Math.abs(metrics.residuals?.[0]?.retained ?? NaN)).toBeLessThan(rounding)
  expect(metrics.residuals?.at(-1)?.forget).toBeLessThan(metrics.residuals?.[0]?.forget ?? 0)
})

test('no more retained samples are used than asked for', async () => {
  const { metrics } = await rfa({ retainedSamples: 40, steps: 5 })
  expect(metrics.samplesUsed).toEqual({ retained: 40, forget: forget.length })
})

describe('the logits by KL', () => {
  const options = { distance: 'kl', align: ['head'], lambda: 2 }

  test('start at zero on D_r too, and forget', async () => {
    const { metrics, accuracy } = await rfa({ ...options, target: 'random-retained' })
    expect(Math.abs(metrics.residuals?.[0]?.retained ?? NaN)).toBeLessThan(rounding)
    expect(accuracy.forget).toBeLessThan(60)
    expect(accuracy.retained).toBeGreaterThan(85)
  })

  test('a weight is a factor of the loss', async () => {
    const of = async (weights: Record<string, number>) =>
      (await rfa({ ...options, steps: 1, weights })).metrics.curve[0]?.loss ?? NaN
    const plain = await of({})
    expect(await of({ 'hea*': 3 })).toBeCloseTo(3 * plain, 5)
    expect(await of({ head: 0 })).toBe(0)
  })
})

describe('the stopping rule', () => {
  // Of a class without validation samples, as where it is forgotten whole, nothing is to stay.
  const others = validation.filter((sample) => labels[sample] !== 2)
  const spec = methodSpec({
    method: 'rfa',
    target: 'random-retained',
    align: ['head'],
    distance: 'kl',
    lambda: 4,
    steps: 400,
    optimizer: { name: 'adam', learningRate: 5e-3 },
    stop: { rule: 'unseen-accuracy', every: 5 },
  })

  test('ends as soon as D_f is right no more often than unseen samples, and goes on from a snapshot as if it never stopped', async ({
    data,
  }) => {
    let snapshot: Snapshot | undefined
    const given = { ...context(layers, original, data), validation: others }
    const whole = await unlearn(spec, {
      ...given,
      host: {
        step: async ({ step }, take) => {
          if (step === 7) snapshot = await take?.()
        },
      },
    })
    const { looks = [], steps, curve } = whole.metrics
    expect(steps).toBeLessThan(400)
    expect(looks.map(({ step }) => step)).toEqual(looks.map((_, i) => 5 * (i + 1)))
    expect(looks.at(-1)).toEqual({ step: steps, forget: 0, unseen: 0 })
    for (const { forget } of looks.slice(0, -1)) expect(forget).toBeGreaterThan(0)
    expect(curve.at(-1)?.step).toBeLessThanOrEqual(steps)
    expect(await accuracyOn(forget, layers, whole.weights, data)).toBe(0)

    const host = { snapshot, step: () => Promise.resolve() }
    expect(await unlearn(spec, { ...given, host })).toEqual(whole)
  })

  test('takes every step where unseen samples are less often right', async ({ data }) => {
    const { metrics } = await unlearn(
      { ...spec, steps: 12, lambda: 1e-6 },
      { ...context(layers, original, data), validation: others },
    )
    expect(metrics.steps).toBe(12)
    expect(metrics.looks).toHaveLength(2)
  })
})
