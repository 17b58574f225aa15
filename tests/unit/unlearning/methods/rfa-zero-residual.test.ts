import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { targetNames } from '../../../../experiment/spec/target.ts'
import { initialWeights, parameterSpecs, type Weights } from '../../../../learning/model/parameters.ts'
import { stream } from '../../../../learning/random.ts'
import { unlearn } from '../../../../unlearning/methods/rfa.ts'
import { context, deviceData, methodSpec, toyModels } from '../../../support/toy.ts'

/**
 * Too small to change any weight, so that only the term of D_r is left. A config refuses λ = 0
 * itself.
 */
const NEGLIGIBLE = 1e-30

/** Steps far below this are rounding. */
const ROUNDING = 1e-6

/** These two align samples of D_r to layers that were trained again, not to the original's. */
const frozenOnRetained = targetNames.filter((target) => target !== 'leave-out' && target !== 'leave-out-top')

const learningRate = fc.double({ min: 1e-4, max: 0.1, noNaN: true })
const weightDecay = fc.constantFrom(0, 5e-4, 0.1)
const options = fc.record({
  target: fc.constantFrom(...frozenOnRetained),
  rank: fc.integer({ min: 1, max: 4 }),
  rslora: fc.boolean(),
  optimizer: fc.oneof(
    fc.record({ name: fc.constant('adam'), learningRate, weightDecay }),
    fc.record({ name: fc.constant('sgd'), learningRate, weightDecay, nesterov: fc.boolean() }),
  ),
  steps: fc.integer({ min: 1, max: 4 }),
})

async function rfa(model: keyof typeof toyModels, seed: number, given: Record<string, unknown>) {
  const layers = toyModels[model]
  const original = initialWeights(parameterSpecs(layers), stream(seed, 'original'))
  const data = deviceData()
  const spec = methodSpec({
    method: 'rfa',
    retainedSamples: 40,
    // A target of logits has nothing to say of other layers.
    ...(given.target === 'unseen-margin' && { align: ['head'] }),
    ...given,
  })
  const { weights, metrics } = await unlearn(spec, { ...context(layers, original, data), seed })
  data.dispose()
  return { original, weights, metrics }
}

function greatestChange(before: Weights, after: Weights): number {
  return Math.max(...after.trained.map((value, i) => Math.abs(value - (before.trained[i] ?? NaN))))
}

describe.each(['cnn', 'resnet'] as const)('a %s', (model) => {
  test('stays where it is, to the bit, under D_r alone: λ → 0', async () => {
    await fc.assert(
      fc.asyncProperty(options, fc.nat(1000), async (given, seed) => {
        const { original, weights, metrics } = await rfa(model, seed, { ...given, lambda: NEGLIGIBLE })
        expect(weights).toEqual(original)
        expect(metrics.residuals?.map(({ retained }) => retained)).toEqual(
          Array.from({ length: given.steps }, () => 0),
        )
      }),
      { numRuns: 10 },
    )
  })

  test('stays there up to rounding where logits are compared by KL, whose gradient is 0 only up to rounding', async () => {
    // Adam would divide what is left by its own size.
    const optimizer = { name: 'sgd', learningRate: 0.01 }
    const { original, weights } = await rfa(model, 1, {
      lambda: NEGLIGIBLE,
      distance: 'kl',
      optimizer,
      steps: 3,
    })
    expect(greatestChange(original, weights)).toBeLessThan(ROUNDING)
  })

  test('moves as soon as D_f counts', async () => {
    const { original, weights } = await rfa(model, 1, { lambda: 1, steps: 1 })
    expect(weights.trained).not.toEqual(original.trained)
    expect(weights.statistics).toEqual(original.statistics)
  })

  test('hardly moves in the closed form either, where D_f hardly counts', async () => {
    const solved = { start: 'closed-form', steps: 0, layers: ['head'], ridge: 1e-3 }
    const moved = async (lambda: number) => {
      const { original, weights } = await rfa(model, 1, { ...solved, lambda })
      return greatestChange(original, weights)
    }
    expect(await moved(1e-12)).toBeLessThan(ROUNDING * (await moved(1)))
  })
})
