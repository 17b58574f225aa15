import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { lira, liraOffline } from '../../../../unlearning/population/lira.ts'
import { poolOf, type Pool, type Scores } from '../../../../unlearning/population/pool.ts'
import { auc } from '../../../../unlearning/population/roc.ts'
import { valueOf } from '../evaluated-models.ts'
import {
  anyMargins,
  anyOrder,
  drawModels,
  expectAllClose,
  marginsFrom,
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

describe('against SciPy', () => {
  it.each(vectors.shadowAttacks)('$name', ({ target, shadow, lira: expected }) => {
    for (const variance of ['per-sample', 'pooled'] as const) {
      const attacked = Float64Array.from(target)
      const pool = toPool(shadow)
      expectAllClose(scoresOf(lira(attacked, pool, variance)), expected[variance].online)
      expectAllClose(scoresOf(liraOffline(attacked, pool, variance)), expected[variance].offline)
    }
  })
})

const samples = 6
const target = fc.array(phi, { minLength: samples, maxLength: samples }).map((all) => Float64Array.from(all))
const pool: fc.Arbitrary<Pool> = fc
  .tuple(anyMargins(5, samples), anyMargins(4, samples))
  .map(([inside, outside]) => poolOf(inside, outside))

/** The deviations of made-up φ may be as small as 1e-6, which makes scores great. */
const TOLERANCE = 1e-5

describe.each([
  ['online', lira],
  ['offline', liraOffline],
])('LiRA, %s', (_, attack) => {
  it('does not depend on the order of models or samples', () => {
    fc.assert(
      fc.property(target, pool, anyOrder(9), anyOrder(samples), (attacked, shadow, models, order) => {
        for (const variance of ['per-sample', 'pooled'] as const) {
          const scores = scoresOf(attack(attacked, shadow, variance))
          const reordered = Float64Array.from(order, (i) => attacked[i] ?? NaN)
          const again = scoresOf(attack(reordered, permuted(shadow, models, order), variance))
          expectAllClose(
            again,
            Array.from(order, (i) => scores[i] ?? NaN),
            TOLERANCE,
          )
        }
      }),
    )
  })

  it('answers with numbers, however the φ tie', () => {
    fc.assert(
      fc.property(target, pool, (attacked, shadow) => {
        for (const variance of ['per-sample', 'pooled', undefined] as const)
          expect(scoresOf(attack(attacked, shadow, variance)).every(Number.isFinite)).toBe(true)
      }),
    )
  })

  it('finds the members of a model that leaks, and only chance without a leak', () => {
    const models = 12
    const many = 600
    const random = stream(3, 'test-members')
    const isMember = Uint8Array.from({ length: many }, () => random.integer(2))
    const area = (leak: number) => {
      const shadow = poolOf(
        drawModels(models, many, { seed: 1, drop: -leak }),
        drawModels(models, many, { seed: 2 }),
      )
      const base = drawModels(1, many, { seed: 4 }).values
      const attacked = base.map((value, i) => value + leak * (isMember[i] ?? 0))
      const scores = scoresOf(attack(attacked, shadow))
      return valueOf(
        auc(
          scores.filter((_, i) => isMember[i] === 1),
          scores.filter((_, i) => isMember[i] === 0),
        ),
      )
    }
    expect(area(2)).toBeGreaterThan(0.85)
    expect(Math.abs(area(0) - 0.5)).toBeLessThan(0.08)
  })

  const shadow = poolOf(drawModels(3, 2, { seed: 1 }), drawModels(3, 2, { seed: 2 }))
  const attacked = Float64Array.of(1, 2)

  it('is missing, with its reason, where a φ is no number', () => {
    expect(attack(Float64Array.of(1, NaN), shadow)).toEqual({
      missing: 'a margin of the attacked model is not finite',
    })
    expect(attack(attacked, withPhi(shadow, 3, -Infinity))).toEqual({
      missing: 'shadow models: a margin is not finite',
    })
  })

  it('is missing without models, without samples, and without out models', () => {
    const none = { values: new Float64Array(), members: new Uint8Array() }
    expect(attack(attacked, { ...none, models: 0, samples: 2 })).toEqual({
      missing: 'shadow models: there are no models',
    })
    expect(attack(new Float64Array(), { ...none, models: 3, samples: 0 })).toEqual({
      missing: 'shadow models: the set is empty',
    })
    const members = shadow.members.map((kind, i) => (i % 2 === 1 ? 1 : kind))
    expect(attack(attacked, { ...shadow, members })).toEqual({
      missing: 'sample 1 has 0 out models, and needs 1',
    })
  })

  it('is missing where no variance can be estimated', () => {
    const one = poolOf(drawModels(1, 2, { seed: 1 }), drawModels(1, 2, { seed: 2 }))
    const missing = 'too few models of a kind to estimate a variance: two are needed'
    expect(attack(attacked, one, 'per-sample')).toEqual({ missing })
    expect(attack(attacked, one, 'pooled')).toEqual({ missing })
  })

  it('refuses an attacked model on other samples', () => {
    expect(() => attack(Float64Array.of(1), shadow)).toThrow(/has 1 samples, its shadow models 2/)
  })
})

describe('LiRA, online', () => {
  it('needs in models, which offline does not', () => {
    const out = drawModels(4, 2, { seed: 1 })
    const shadow = { ...out, members: new Uint8Array(8) }
    expect(lira(Float64Array.of(1, 2), shadow)).toEqual({ missing: 'sample 0 has 0 in models, and needs 1' })
    expect(liraOffline(Float64Array.of(1, 2), shadow)).toHaveProperty('scores')
  })

  it('pools variances below 32 models of a kind, unless told otherwise', () => {
    const attacked = drawModels(1, 5, { seed: 9 }).values
    const of = (models: number) =>
      poolOf(drawModels(models, 5, { seed: 1 }), drawModels(models, 5, { seed: 2 }))
    expect(lira(attacked, of(31))).toEqual(lira(attacked, of(31), 'pooled'))
    expect(lira(attacked, of(32))).toEqual(lira(attacked, of(32), 'per-sample'))
    expect(lira(attacked, of(32))).not.toEqual(lira(attacked, of(32), 'pooled'))
  })

  it('does not take the samples’ differences from each other for variance', () => {
    const spread = (shift: number) => marginsFrom(4, 3, (m, s) => 100 * s + shift + (m % 2))
    const near = (shift: number) => marginsFrom(4, 3, (m) => shift + (m % 2))
    const far = scoresOf(lira(Float64Array.of(3, 103, 203), poolOf(spread(3), spread(0)), 'pooled'))
    const same = scoresOf(lira(Float64Array.of(3, 3, 3), poolOf(near(3), near(0)), 'pooled'))
    expectAllClose(far, same)
  })
})
