import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { parameterSpecs, unpackArrays } from '../../../../learning/model/parameters.ts'
import { fit } from '../../../../learning/training/fit.ts'
import type { Host, Snapshot } from '../../../../learning/training/host.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import {
  indices,
  input,
  layers,
  purpose,
  recipeData,
  seed,
  trainings,
  type Input,
} from '../../../reference/recipe.ts'

/** What tests/reference/make_recipe.py wrote: the weights after three steps. */
const reference = JSON.parse(
  readFileSync(new URL('../../../reference/recipe.json', import.meta.url), 'utf8'),
) as {
  readonly input: Input
  readonly expected: Record<keyof typeof trainings, { trained: number[]; statistics: number[] }>
}
const given = reference.input
const initial = {
  trained: Float32Array.from(given.weights.trained),
  statistics: Float32Array.from(given.weights.statistics),
}
const names = Object.keys(trainings) as (keyof typeof trainings)[]

/** Nine steps with all options of the recipe. */
const augmented = (name: keyof typeof trainings) => ({
  ...trainings[name],
  epochs: 3,
  augment: { crop: 2, padding: 'reflect', flip: 'alternating' } as const,
})

async function trained(training: ReturnType<typeof augmented> | (typeof trainings)['sgd'], host?: Host) {
  const data = recipeData(given)
  try {
    return await fit({ ...training, training, layers, initial, data, indices, seed, purpose, host })
  } finally {
    data.dispose()
  }
}

test('PyTorch was given what Zeroshift trains with today', () => {
  expect(given).toEqual(JSON.parse(JSON.stringify(input())))
})

describe.each(names)('%s', (name) => {
  test('three steps of the recipe agree with PyTorch to 1e-5', async () => {
    const { weights, steps } = await trained(trainings[name])
    expect(steps).toBe(3)
    for (const kind of ['trained', 'statistics'] as const) {
      const wanted = reference.expected[name][kind]
      const errors = wanted.map(
        (value, i) => Math.abs(value - (weights[kind][i] ?? NaN)) / (1 + Math.abs(value)),
      )
      expect(errors).toHaveLength(weights[kind].length)
      expect(Math.max(...errors)).toBeLessThan(1e-5)
    }
    // The steps change far more than the tolerance.
    const changes = weights.trained.map((value, i) => Math.abs(value - (initial.trained[i] ?? NaN)))
    expect(Math.max(...changes)).toBeGreaterThan(0.01)
  })

  test.each([4, 5, 8])('stopped after step %i and continued, it ends with the same bytes', async (stop) => {
    const whole = await trained(augmented(name))
    const taken: Snapshot[] = []
    const stopping: Host = {
      async step({ step }, take) {
        if (step !== stop || !take) return
        taken.push(await take())
        throw new Error('stopped')
      },
    }
    await expect(trained(augmented(name), stopping)).rejects.toThrow('stopped')
    const continued = await trained(augmented(name), { snapshot: taken[0], step: () => Promise.resolve() })
    expect(continued).toEqual(whole)
  })

  test('a graph gives the same bytes as single operations', async () => {
    const run = (setting: string) => {
      vi.stubEnv('ZEROSHIFT_GRAPHS', setting)
      return trained(augmented(name))
    }
    expect(await run('always')).toEqual(await run('never'))
  })

  test.each([1, 2])(
    'frozen weights keep their values in %i micro-batches, and no tensor is left',
    async (parts) => {
      const host = { microBatches: parts, step: () => Promise.resolve() }
      await trained(augmented(name), host)
      const before = tf.memory().numTensors
      const { weights } = await trained(augmented(name), host)
      expect(tf.memory().numTensors).toBe(before)
      const { statistics: specs } = parameterSpecs(layers)
      const [now, then] = [weights, initial].map(({ statistics }) => unpackArrays(specs, statistics))
      expect(now?.['whiten.weight']).toEqual(then?.['whiten.weight'])
      expect(now?.['group1.conv1.norm.mean']).not.toEqual(then?.['group1.conv1.norm.mean'])
      expect(weights.trained.every(Number.isFinite)).toBe(true)
    },
  )
})
