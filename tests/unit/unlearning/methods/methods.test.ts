import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { methodSchemas, type ApproximateMethodName } from '../../../../experiment/methods.ts'
import type { Host, Snapshot } from '../../../../learning/host.ts'
import type { Weights } from '../../../../learning/parameters.ts'
import { tf } from '../../../../learning/tf.ts'
import { loadMethod, type Unlearned } from '../../../../unlearning/method.ts'
import {
  accuracyOn,
  context,
  deviceData,
  forget,
  methodSpec,
  pictures,
  retained,
  toyModels,
  trainOriginal,
} from '../../../support/toy.ts'

const configured = {
  finetune: methodSpec({ method: 'finetune', epochs: 1 }),
  'random-label': methodSpec({ method: 'random-label', epochs: 2 }),
  'gradient-ascent': methodSpec({
    method: 'gradient-ascent',
    epochs: 3,
    optimizer: { name: 'sgd', learningRate: 0.02 },
  }),
  rfa: methodSpec({
    method: 'rfa',
    rank: 4,
    steps: 40,
    optimizer: { name: 'adam', learningRate: 5e-3 },
    lambda: 2,
  }),
} satisfies Record<ApproximateMethodName, unknown>

async function unlearn(
  name: ApproximateMethodName,
  layers: (typeof toyModels)['cnn'],
  original: Weights,
  data = deviceData(),
  host?: Host,
): Promise<Unlearned> {
  const run = (await loadMethod(name)) as (spec: unknown, context: unknown) => Promise<Unlearned>
  const result = await run(configured[name], { ...context(layers, original, data), host })
  data.dispose()
  return result
}

/** Through JSON and back, so that a snapshot shares nothing with the run that left it. */
const plainVectors = (_: string, value: unknown) => (value instanceof Float32Array ? [...value] : value)

test('every method of the vocabulary that makes a model has a file, and every file a method', () => {
  const files = readdirSync(new URL('../../../../unlearning/methods', import.meta.url)).map((file) =>
    file.replace('.ts', ''),
  )
  const named = methodSchemas
    .map((schema) => schema.shape.method.value)
    .filter((name) => name !== 'original' && name !== 'retrain')
  expect(files.sort()).toEqual([...named].sort())
})

describe.each(Object.entries(toyModels))('on a %s', (_, layers) => {
  let original: Weights
  beforeAll(async () => {
    const data = deviceData()
    original = await trainOriginal(layers, data)
    expect(await accuracyOn(forget, layers, original, data)).toBeGreaterThan(90)
    data.dispose()
  })

  test.each(Object.keys(configured) as ApproximateMethodName[])(
    '%s moves the student, never the original',
    async (name) => {
      const before = original.trained.slice()
      const { weights, metrics } = await unlearn(name, layers, original)
      expect(original.trained).toEqual(before)
      expect(weights.trained).not.toEqual(before)
      expect(metrics.curve.at(-1)?.step).toBe(metrics.steps)
    },
  )

  test.each(Object.keys(configured) as ApproximateMethodName[])(
    '%s gives the same bytes twice and leaves no tensor',
    async (name) => {
      const first = await unlearn(name, layers, original)
      const before = tf.memory().numTensors
      const second = await unlearn(name, layers, original)
      expect(tf.memory().numTensors).toBe(before)
      expect(second).toEqual(first)
    },
  )

  test.each(Object.keys(configured) as ApproximateMethodName[])(
    '%s ends in the same bytes when it goes on from a snapshot of any step',
    async (name) => {
      const snapshots: Snapshot[] = []
      const whole = await unlearn(name, layers, original, deviceData(), {
        step: async (_, take) => {
          if (take) snapshots.push(JSON.parse(JSON.stringify(await take(), plainVectors)) as Snapshot)
        },
      })
      expect(snapshots).toHaveLength(whole.metrics.steps)
      for (const share of [0, 0.4, 1]) {
        const snapshot = snapshots[Math.round(share * (snapshots.length - 1))]
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

  test.each(['random-label', 'gradient-ascent', 'rfa'] as const)('%s forgets the class', async (name) => {
    const { weights } = await unlearn(name, layers, original)
    const data = deviceData()
    expect(await accuracyOn(forget, layers, weights, data)).toBeLessThan(50)
    if (name !== 'gradient-ascent')
      expect(await accuracyOn(retained, layers, weights, data)).toBeGreaterThan(85)
    data.dispose()
  })

  test('finetune never reads the forget set; gradient ascent never reads the retained set', async () => {
    const without = (indices: Int32Array) => {
      const images = pictures()
      for (const i of indices) images.fill(0, 36 * i, 36 * (i + 1))
      return deviceData(images)
    }
    expect(await unlearn('finetune', layers, original, without(forget))).toEqual(
      await unlearn('finetune', layers, original),
    )
    expect(await unlearn('gradient-ascent', layers, original, without(retained))).toEqual(
      await unlearn('gradient-ascent', layers, original),
    )
  })
})
