import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layersOf } from '../../../../experiment/models/model.ts'
import { modelSchema } from '../../../../experiment/spec/model.ts'
import { trainingSchema } from '../../../../experiment/spec/training.ts'
import { digestOf } from '../../../../common/canonical.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { seenByMethod } from '../../../../report/samples-seen.ts'
import { meanLogits } from '../../../../unlearning/ensemble.ts'
import type { UnlearnedEnsemble } from '../../../../unlearning/method.ts'
import { probabilities } from '../../../../unlearning/metrics/logits.ts'
import { unlearn } from '../../../../unlearning/methods/sisa.ts'
import { all, context, deviceData, methodSpec, poisonedData, toyModels } from '../../../support/toy.ts'

const SHARDS = 3
const SLICES = 2
const method = methodSpec({ method: 'sisa', shards: SHARDS, slices: SLICES })
const training = trainingSchema.parse({
  ...{ epochs: 3, batchSize: 16, augment: { crop: 1, flip: true } },
  optimizer: { name: 'adam', learningRate: 5e-3 },
})
const mlp = layersOf(modelSchema.parse({ name: 'mlp', hidden: [12] }), [6, 6, 1], 4)
const nothing = { trained: new Float32Array(), statistics: new Float32Array() }

async function sisa(forget: readonly number[], host: Partial<Host> = {}, layers = mlp) {
  const data = deviceData()
  const result = await unlearn(method, {
    ...context(layers, nothing, data),
    ...{ training, forget: Int32Array.from(forget), retained: all.filter((i) => !forget.includes(i)) },
    host: { step: () => Promise.resolve(), ...host },
  })
  data.dispose()
  return result
}

const digests = ({ models }: UnlearnedEnsemble) =>
  models.map(({ trained, statistics }) => digestOf([[...trained], [...statistics]]))

describe('a deletion', () => {
  test('changes the models of shards with a forgotten sample, and no others', async () => {
    const before = digests(await sisa([]))
    for (const forgotten of [[0], [1], [2], [3]]) {
      const after = await sisa(forgotten)
      const changed = digests(after).filter((digest, i) => digest !== before[i])
      expect(changed).toHaveLength(1)
      expect(after.metrics.sisa?.shards).toBe(1)
      expect(after.metrics.sisa?.trainings).toBeGreaterThanOrEqual(1)
      expect(after.metrics.sisa?.trainings).toBeLessThanOrEqual(SLICES)
    }
  })

  test('leaves nothing of what the forgotten samples were', async () => {
    const forget = all.filter((i) => i % 7 === 0)
    const data = deviceData()
    const other = poisonedData(forget)
    const [one, two] = await Promise.all(
      [data, other].map((given) =>
        unlearn(method, {
          ...context(mlp, nothing, given),
          ...{ training, forget, retained: all.filter((i) => !forget.includes(i)) },
        }),
      ),
    )
    data.dispose()
    other.dispose()
    expect(one && digests(one)).toEqual(two && digests(two))
  })

  test('repeats less than the whole training, and counts the samples that it repeats', async () => {
    const { metrics } = await sisa([5])
    const { samples = 0, of = 0 } = metrics.sisa ?? {}
    expect(samples).toBeGreaterThan(0)
    expect(samples).toBeLessThanOrEqual(of / SHARDS + training.batchSize)
    expect(metrics.samplesUsed.forget).toBe(0)
    const sets = { retained: 300, forget: 100, classes: 4, forgottenClasses: 1 }
    expect(seenByMethod({ method, training }, metrics, sets)).toEqual({ value: samples })
    expect(metrics.curve.at(-1)?.step).toBe(metrics.steps)
    // Every sample is read about as often as in a training of one model.
    expect(of / (training.epochs * all.length)).toBeGreaterThan(0.8)
    expect(of / (training.epochs * all.length)).toBeLessThanOrEqual(1.05)
  })

  test('that empties a shard leaves the models of the others', async () => {
    const { models, metrics } = await sisa([...all.subarray(1)])
    expect(models).toHaveLength(1)
    expect(metrics.sisa?.shards).toBe(SHARDS)
    expect(metrics.samplesUsed).toEqual({ retained: 1, forget: 0 })
  })
})

test.each([2, 7, 11, 16])('a run that is stopped after %i steps goes on to the same bytes', async (stop) => {
  const forget = [4, 9]
  const whole = await sisa(forget, {}, toyModels.cnn)
  let saved: Snapshot | undefined
  let count = 0
  await expect(
    sisa(
      forget,
      {
        step: async (_, take) => {
          if (!take) return
          count += 1
          if (count === stop) {
            saved = await take()
            throw new Error('stopped')
          }
        },
      },
      toyModels.cnn,
    ),
  ).rejects.toThrow('stopped')
  const stored = saved && { ...saved, notes: JSON.parse(JSON.stringify(saved.notes)) as Snapshot['notes'] }
  const resumed = await sisa(forget, { snapshot: stored }, toyModels.cnn)
  expect(digests(resumed)).toEqual(digests(whole))
  expect(resumed.metrics).toEqual(whole.metrics)
})

test('the mean of probabilities is that of the softmaxes', () => {
  const logit = fc.float({ min: -50, max: 50, noNaN: true })
  fc.assert(
    fc.property(
      fc.array(fc.array(logit, { minLength: 6, maxLength: 6 }), { minLength: 1, maxLength: 4 }),
      (outputs) => {
        const labels = new Int32Array(2)
        const of = (values: Float32Array) => [...probabilities({ values, labels, classes: 3 })]
        const each = outputs.map((values) => of(Float32Array.from(values)))
        const mean = of(
          meanLogits(
            outputs.map((values) => Float32Array.from(values)),
            3,
          ),
        )
        mean.forEach((p, i) => {
          expect(p).toBeCloseTo(each.reduce((sum, one) => sum + (one[i] ?? NaN), 0) / each.length, 5)
        })
      },
    ),
  )
})

test('the trainings that a deletion leaves precede it', async () => {
  const data = deviceData()
  const steps: number[] = []
  let left = 0
  const { metrics } = await unlearn(method, {
    ...context(mlp, nothing, data),
    ...{ training, forget: Int32Array.of(3), retained: all.filter((i) => i !== 3) },
    host: { step: ({ step = 0 }) => Promise.resolve(void steps.push(step)) },
    untimed: async (work) => {
      const done = await work()
      left = Math.max(...steps)
      return done
    },
  })
  data.dispose()
  expect(left).toBeGreaterThan(0)
  expect(Math.max(...steps) - left).toBe(metrics.steps)
})
