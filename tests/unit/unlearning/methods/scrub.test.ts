import fc from 'fast-check'
import { expect } from 'vitest'
import type { Snapshot } from '../../../../learning/training/host.ts'
import { klDivergence } from '../../../../learning/training/losses.ts'
import type { Weights } from '../../../../learning/model/parameters.ts'
import { scheduleFactor } from '../../../../learning/training/schedule.ts'
import { parametersOf, predict } from '../../../../learning/model/predict.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { alternation, decay, unlearn } from '../../../../unlearning/methods/scrub.ts'
import { test } from '../../../support/device-data.ts'
import {
  accuracyOn,
  context,
  forget,
  methodSpec,
  retained,
  toyModels,
  trainedOriginal,
} from '../../../support/toy.ts'

const layers = toyModels.resnet
const original = trainedOriginal('resnet')

test('passes over D_f come first, in the first epochs only, and D_r has the last word', () => {
  const size = fc.integer({ min: 1, max: 7 })
  fc.assert(
    fc.property(size, size, size, size, (epochs, maxEpochs, forgetSteps, retainedSteps) => {
      const order = alternation(epochs, maxEpochs, { forget: forgetSteps, retained: retainedSteps })
      const sets = order.map(({ on }) => (on === 'forget' ? 'f' : 'r')).join('')
      const [both, alone] = [`f{${forgetSteps}}r{${retainedSteps}}`, `r{${retainedSteps}}`]
      const max = Math.min(epochs, maxEpochs)
      expect(sets).toMatch(new RegExp(`^(${both}){${max}}(${alone}){${epochs - max}}$`))
      for (const set of ['forget', 'retained'] as const) {
        const numbers = order.filter(({ on }) => on === set).map(({ number }) => number)
        expect(numbers).toEqual(numbers.map((_, i) => i))
      }
    }),
  )
})

test('the learning rate falls to a tenth after each of the epochs 3, 5 and 9', () => {
  const size = fc.integer({ min: 1, max: 400 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), size, size, size, (epochs, maxEpochs, f, r) => {
      const perEpoch = { forget: f, retained: r }
      const order = alternation(epochs, maxEpochs, perEpoch)
      const schedule = decay({ epochs, maxEpochs }, perEpoch)
      let passes = 0
      order.forEach(({ on, number }, step) => {
        // The first step of an epoch: on D_f in the first epochs, on D_r later.
        const first = passes < maxEpochs ? 'forget' : 'retained'
        if (on === first && number === passes * perEpoch[first]) passes++
        const exponent = [3, 5, 9].filter((epoch) => passes > epoch).length
        expect(scheduleFactor(schedule, step, order.length)).toBeCloseTo(0.1 ** exponent, 12)
      })
      expect(passes).toBe(epochs)
    }),
    { numRuns: 30 },
  )
})

test('a given schedule replaces that of the authors', () => {
  expect(methodSpec({ method: 'scrub' }).schedule).toBeUndefined()
  expect(methodSpec({ method: 'scrub', schedule: { name: 'cosine' } }).schedule).toEqual({ name: 'cosine' })
})

test('a pass over D_f drives the student from the teacher there; a pass over D_r brings D_r back', async ({
  data,
}) => {
  const after: Snapshot[] = []
  const spec = methodSpec({
    method: 'scrub',
    epochs: 1,
    batchSize: 32,
    forgetBatch: 32,
    alpha: 0.5,
    // Momentum would carry the ascent into the pass over D_r.
    optimizer: { name: 'sgd', learningRate: 0.2, momentum: 0 },
  })
  const host = {
    async step(_: unknown, take?: () => Promise<Snapshot>) {
      if (take) after.push(await take())
    },
  }
  const { weights } = await unlearn(spec, { ...context(layers, original, data), host })
  const weightsAt = ({ vectors: { parameters, statistics } }: Snapshot): Weights => ({
    trained: parameters ?? new Float32Array(),
    statistics: statistics ?? new Float32Array(),
  })
  const logits = async (of: Weights, indices: Int32Array) => {
    const parameters = parametersOf(layers, of)
    const values = await predict(layers, parameters, data, indices, 128)
    tf.dispose(parameters)
    return tf.tensor2d(values, [indices.length, 4])
  }
  const divergence = async (student: Weights, indices: Int32Array) => {
    const [value = NaN] = await klDivergence(
      await logits(original, indices),
      await logits(student, indices),
      4,
    ).data()
    return value
  }
  let before = 0
  for (const snapshot of after.slice(0, 3)) {
    const now = await divergence(weightsAt(snapshot), forget)
    expect(now).toBeGreaterThan(before)
    before = now
  }
  const broken = weightsAt(after[2] as Snapshot)
  expect(await divergence(weights, retained)).toBeLessThan(0.5 * (await divergence(broken, retained)))
  expect(await accuracyOn(retained, layers, broken, data)).toBeLessThan(80)
  expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(90)
  expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
})
