import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import { expect, test } from 'vitest'
import { MathError } from '../../../../common/errors.ts'
import { optimizerSchema } from '../../../../experiment/spec/optimizer.ts'
import { scheduleFactor } from '../../../../learning/training/schedule.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { train } from '../../../../learning/training/train.ts'
import { normal } from '../../../support/tensors.ts'

const adam = optimizerSchema.parse({ name: 'adam', learningRate: 0.05 })
const sgd = optimizerSchema.parse({ name: 'sgd', learningRate: 0.02, momentum: 0.9 })
const matrix = normal([6, 6], 1)
const quadratic = (x: Tensor1D) =>
  matrix
    .matMul(x.reshape([6, 1]))
    .square()
    .sum()
    .asScalar()
const values = normal([6], 2).dataSync() as Float32Array
const start = () => values.slice()

test.each([
  ['adam', adam, () => tf.train.adam(0.05, 0.9, 0.999, 1e-8)],
  ['sgd with momentum', sgd, () => tf.train.momentum(0.02, 0.9)],
] as const)('%s takes the same steps as tfjs', async (_, optimizer, reference) => {
  const { parameters } = await train({
    initial: start(),
    steps: 5,
    optimizer,
    schedule: { name: 'constant' },
    loss: quadratic,
  })
  const variable = tf.variable(tf.tensor1d(start()))
  const other = reference()
  for (let i = 0; i < 5; i++) other.minimize(() => quadratic(variable as Tensor as Tensor1D))
  variable.dataSync().forEach((value, i) => {
    expect(parameters[i]).toBeCloseTo(value, 4)
  })
})

const namedSpecs = ['first.weight', 'first.bias', 'last.weight'].map((name) => ({
  ...{ name, shape: [2] },
  ...{ init: 'zeros' as const, fanIn: 1 },
}))

test.each([
  ['sgd', { name: 'sgd', learningRate: 0.02, weightDecay: 0.1 }],
  ['adam', { name: 'adam', learningRate: 0.02, weightDecay: 0.1 }],
] as const)('%s: a group has its rate, the same weight decay, and an end', async (_, fields) => {
  const run = async (steps: number, groups?: object) => {
    const optimizer = optimizerSchema.parse({ ...fields, ...(groups && { groups }) })
    const { parameters } = await train({
      ...{ initial: start(), steps, optimizer, specs: namedSpecs },
      ...{ schedule: { name: 'constant' }, loss: quadratic },
    })
    return [...parameters]
  }
  const plain = await run(1)
  const decayOnly = [...start()].map((value) => value * (1 - 0.02 * 0.1))
  const grouped = await run(1, [
    { layers: ['first'], rate: 3 },
    // The first group that names a layer applies.
    { layers: ['*'], rate: 0 },
  ])
  grouped.forEach((value, i) => {
    const step = (plain[i] ?? NaN) - (decayOnly[i] ?? NaN)
    expect(value).toBeCloseTo((decayOnly[i] ?? NaN) + (i < 4 ? 3 * step : 0), 5)
  })
  const ended = await run(4, [{ layers: ['last'], until: 0.25 }])
  expect(ended.slice(4)).toEqual(plain.slice(4))
  expect(ended.slice(0, 4)).not.toEqual(plain.slice(0, 4))
})

test('a parameter that a mask freezes stays frozen in every part of a training with groups', async () => {
  const optimizer = optimizerSchema.parse({
    ...{ name: 'sgd', learningRate: 0.02, groups: [{ layers: ['first'], until: 0.5 }] },
  })
  const { parameters } = await train({
    ...{ initial: start(), steps: 4, optimizer, specs: namedSpecs, schedule: { name: 'constant' } },
    ...{ mask: Float32Array.of(1, 1, 1, 1, 0, 1), loss: quadratic },
  })
  expect(parameters[4]).toBe(start()[4])
  expect(parameters[5]).not.toBe(start()[5])
})

test('the same run gives the same bytes and leaves no tensor behind', async () => {
  const run = () =>
    train({ initial: start(), steps: 20, optimizer: adam, schedule: { name: 'cosine' }, loss: quadratic })
  const first = await run()
  const before = tf.memory().numTensors
  const second = await run()
  expect(tf.memory().numTensors).toBe(before)
  expect(second).toEqual(first)
})

test('a loss that is not finite ends the run with the step, the rate and the last finite loss', async () => {
  const optimizer = optimizerSchema.parse({ name: 'sgd', learningRate: 1e6, momentum: 0 })
  const run = train({
    initial: start(),
    steps: 50,
    optimizer,
    schedule: { name: 'constant' },
    loss: quadratic,
  })
  await expect(run).rejects.toThrow(MathError)
  await expect(run).rejects.toThrow(
    /at step \d+ \(learning rate 1000000\); the last finite loss was [\d.e+]+ at step \d+/,
  )
})

test('the event loop breathes between steps and a step may stop the run', async () => {
  const steps: number[] = []
  const run = train({
    initial: start(),
    steps: 10,
    optimizer: adam,
    schedule: { name: 'constant' },
    loss: quadratic,
    host: {
      step: ({ step = 0 }) => {
        steps.push(step)
        return step === 3 ? Promise.reject(new Error('cancelled')) : Promise.resolve()
      },
    },
  })
  await expect(run).rejects.toThrow('cancelled')
  expect(steps).toEqual([1, 2, 3])
})

test('a curve has at most 200 points, with the first and the last step', async () => {
  const { curve } = await train({
    initial: start(),
    steps: 450,
    optimizer: adam,
    schedule: { name: 'constant' },
    loss: quadratic,
  })
  expect(curve.length).toBeLessThanOrEqual(200)
  expect([curve[0]?.step, curve.at(-1)?.step]).toEqual([1, 450])
  expect(curve.at(-1)?.loss).toBeLessThan(curve[0]?.loss ?? 0)
})

test('schedules', () => {
  expect(scheduleFactor({ name: 'cosine' }, 0, 10)).toBe(1)
  expect(scheduleFactor({ name: 'cosine' }, 5, 10)).toBeCloseTo(0.5)
  expect([0, 1, 2, 3].map((step) => scheduleFactor({ name: 'constant' }, step, 10, 4))).toEqual([
    0.25, 0.5, 0.75, 1,
  ])
  const linear = { name: 'linear' as const, from: 0.2, peak: 0.25, to: 0.1 }
  expect([0, 1, 2, 5, 8].map((at) => scheduleFactor(linear, at, 8))).toEqual([
    ...[0.2, 0.6, 1, 0.55, 0.1].map((value) => expect.closeTo(value) as number),
  ])
  // The rise and the fall come after a warm-up.
  expect([3, 4, 6].map((at) => scheduleFactor(linear, at, 12, 4))).toEqual([
    ...[1, 0.2, 1].map((value) => expect.closeTo(value) as number),
  ])
  const step = { name: 'step' as const, milestones: [0.5, 0.8], factor: 0.1 }
  expect([0, 5, 8].map((at) => scheduleFactor(step, at, 10))).toEqual([1, 0.1, expect.closeTo(0.01)])
})
