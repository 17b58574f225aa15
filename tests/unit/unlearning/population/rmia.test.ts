import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { poolOf, type Scores } from '../../../../unlearning/population/pool.ts'
import { rmia, type Attacked } from '../../../../unlearning/population/rmia.ts'
import {
  anyMargins,
  anyOrder,
  drawModels,
  expectAllClose,
  permuted,
  phi,
  toPool,
  vectors,
  withPhi,
} from './vectors.ts'

function scoresOf(scores: Scores): Float64Array {
  expect(scores).toHaveProperty('scores')
  return 'scores' in scores ? scores.scores : new Float64Array()
}

const modes = ['online', 'offline'] as const

describe('against a comparison of all pairs', () => {
  it.each(vectors.shadowAttacks)('$name', ({ target, shadow, population, rmia: expected }) => {
    const x = { target: Float64Array.from(target), shadow: toPool(shadow) }
    const z = { target: Float64Array.from(population.target), shadow: toPool(population.shadow) }
    for (const mode of modes) expectAllClose(scoresOf(rmia(x, z, { mode })), expected[mode], 1e-12)
  })
})

const anyTarget = (samples: number) =>
  fc.array(phi, { minLength: samples, maxLength: samples }).map((all) => Float64Array.from(all))
const attacked = (samples: number): fc.Arbitrary<Attacked> =>
  fc
    .tuple(anyTarget(samples), anyMargins(3, samples), anyMargins(4, samples))
    .map(([target, inside, outside]) => ({ target, shadow: poolOf(inside, outside) }))

describe('RMIA', () => {
  it('is a share, and does not depend on the order of models or samples', () => {
    fc.assert(
      fc.property(attacked(5), attacked(8), anyOrder(7), anyOrder(5), (x, z, models, order) => {
        for (const mode of modes) {
          const scores = scoresOf(rmia(x, z, { mode }))
          expect(scores.every((share) => share >= 0 && share <= 1)).toBe(true)
          const target = Float64Array.from(order, (i) => x.target[i] ?? NaN)
          const again = rmia({ target, shadow: permuted(x.shadow, models, order) }, z, { mode })
          expectAllClose(
            scoresOf(again),
            Array.from(order, (i) => scores[i] ?? NaN),
          )
        }
      }),
    )
  })

  it('grows with a sample’s φ under the attacked model, and falls with γ', () => {
    fc.assert(
      fc.property(attacked(5), attacked(8), (x, z) => {
        for (const mode of modes) {
          const scores = scoresOf(rmia(x, z, { mode }))
          const surer = { ...x, target: x.target.map((value) => value + 1) }
          scoresOf(rmia(surer, z, { mode })).forEach((share, i) => {
            expect(share).toBeGreaterThanOrEqual(scores[i] ?? NaN)
          })
          scoresOf(rmia(x, z, { mode, gamma: 4 })).forEach((share, i) => {
            expect(share).toBeLessThanOrEqual(scores[i] ?? NaN)
          })
        }
      }),
    )
  })

  it('compares p that round to 0 or 1', () => {
    // p(x | θ) is e^300 times its mean and that of z is its mean, so that x beats z and z does not
    // beat x.
    const models = (value: number) => ({ values: new Float64Array(2).fill(value), models: 2, samples: 1 })
    const at = (value: number, shadow: number) => ({
      target: Float64Array.of(value),
      shadow: poolOf(models(shadow), models(shadow)),
    })
    expect(rmia(at(-800, -1100), at(0, 0))).toEqual({ scores: Float64Array.of(1) })
    expect(rmia(at(-1100, -800), at(0, 0))).toEqual({ scores: Float64Array.of(0) })
    expect(rmia(at(800, 800), at(800, 800))).toEqual({ scores: Float64Array.of(0) })
  })

  const x = {
    target: Float64Array.of(1, 2),
    shadow: poolOf(drawModels(2, 2, { seed: 1 }), drawModels(2, 2, { seed: 2 })),
  }
  const z = {
    target: Float64Array.of(1),
    shadow: { ...drawModels(2, 1, { seed: 3 }), members: new Uint8Array(2) },
  }

  it('needs out models of the population alone', () => {
    expect(rmia(x, z)).toHaveProperty('scores')
    expect(rmia(z, z)).toEqual({ missing: 'sample 0 has 0 in models, and needs 1' })
    expect(rmia(z, z, { mode: 'offline' })).toHaveProperty('scores')
    const trained = { ...z, shadow: { ...z.shadow, members: Uint8Array.of(1, 1) } }
    expect(rmia(x, trained)).toEqual({ missing: 'population: sample 0 has 0 out models, and needs 1' })
  })

  it('is missing, with its reason, where a set is empty or a φ no number', () => {
    const empty = { values: new Float64Array(), members: new Uint8Array() }
    const nothing = { target: new Float64Array(), shadow: { ...empty, models: 2, samples: 0 } }
    expect(rmia(nothing, z)).toEqual({ missing: 'shadow models: the set is empty' })
    expect(rmia(x, nothing)).toEqual({ missing: 'population: shadow models: the set is empty' })
    expect(rmia({ ...x, target: Float64Array.of(1, NaN) }, z)).toEqual({
      missing: 'a margin of the attacked model is not finite',
    })
    expect(rmia(x, { ...z, shadow: withPhi(z.shadow, 1, Infinity) })).toEqual({
      missing: 'population: shadow models: a margin is not finite',
    })
  })
})
