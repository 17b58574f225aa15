import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { poolOf } from '../../../../unlearning/population/pool.ts'
import { uLira } from '../../../../unlearning/population/u-lira.ts'
import { expectClose, valueOf } from '../evaluated-models.ts'
import {
  anyMargins,
  anyOrder,
  drawModels,
  expectInterval,
  intervalOf,
  permuted,
  toPool,
  vectors,
  withPhi,
} from './vectors.ts'

describe('against SciPy', () => {
  it.each(vectors.uLira)('$name', async ({ pool, accuracy, interval }) => {
    const estimate = await uLira(toPool(pool))
    expectClose(valueOf(estimate), accuracy)
    expectInterval(intervalOf(estimate), interval)
  })
})

describe('a planted leak', () => {
  const samples = 300
  const gold = drawModels(8, samples, { seed: 1 })

  it('is caught: unlearning that lowers φ of the forget set by a constant', async () => {
    const estimate = await uLira(poolOf(drawModels(8, samples, { seed: 2, drop: 1.5 }), gold))
    expect(valueOf(estimate)).toBeGreaterThan(65)
    expect(intervalOf(estimate)[0]).toBeGreaterThan(60)
  })

  it('is not seen in models of other seeds', async () => {
    for (const seed of [2, 3, 4, 5, 6]) {
      const estimate = await uLira(poolOf(drawModels(8, samples, { seed }), gold))
      expect(Math.abs(valueOf(estimate) - 50)).toBeLessThan(3)
    }
  })
})

describe('U-LiRA', () => {
  it.each([4, 8])(
    'is 50% on average where %i models of either kind are alike, and within its interval',
    async (n) => {
      // Leaving out only the judged model would give 46.5% with four of each kind.
      let sum = 0
      let covered = 0
      const runs = 60
      for (let seed = 0; seed < runs; seed++) {
        const pool = poolOf(
          drawModels(n, 100, { seed: 2 * seed }),
          drawModels(n, 100, { seed: 2 * seed + 1 }),
        )
        const estimate = await uLira(pool)
        const [low, high] = intervalOf(estimate)
        sum += valueOf(estimate)
        covered += low <= 50 && 50 <= high ? 1 : 0
      }
      expect(Math.abs(sum / runs - 50)).toBeLessThan(1)
      expect(covered / runs).toBeGreaterThan(0.85)
    },
  )

  it('does not depend on the order of models or samples, nor on which kind is in', async () => {
    const kinds = fc.tuple(anyMargins(4, 3), anyMargins(3, 3))
    await fc.assert(
      fc.asyncProperty(kinds, anyOrder(7), anyOrder(3), async ([a, b], models, samples) => {
        // Rounding in another order may decide between two equal densities, which changes a whole
        // answer.
        const [estimate, again] = [
          await uLira(poolOf(a, b)),
          await uLira(permuted(poolOf(a, b), models, samples)),
        ]
        const other = await uLira(poolOf(b, a))
        expect(Math.abs(valueOf(again) - valueOf(estimate))).toBeLessThanOrEqual(1e-9)
        expect(Math.abs(valueOf(other) - valueOf(estimate))).toBeLessThanOrEqual(1e-9)
      }),
    )
  })

  it('has the accuracies of single models, in the order of the pool, whose mean it is', async () => {
    const gold = drawModels(5, 40, { seed: 1 })
    const mixed = drawModels(5, 40, { seed: 2 })
    // The last of the unlearned models is far from all others.
    mixed.values.subarray(4 * 40).forEach((_, i, model) => (model[i] = 40))
    const found = await uLira(poolOf(mixed, gold))
    if ('missing' in found) throw new Error(found.missing)
    const { inside, outside, value } = found
    expect([inside, outside].map(({ length }) => length)).toEqual([5, 5])
    const all = [...inside, ...outside]
    expect(all.reduce((sum, one) => sum + one, 0) / all.length).toBeCloseTo(value, 9)
    expect(inside.indexOf(Math.max(...inside))).toBe(4)
  })

  it('lies within its interval, which lies within [0, 100] and is never a point', async () => {
    await fc.assert(
      fc.asyncProperty(anyMargins(4, 3), anyMargins(3, 3), async (a, b) => {
        const estimate = await uLira(poolOf(a, b))
        const [low, high] = intervalOf(estimate)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(low).toBeLessThanOrEqual(valueOf(estimate))
        expect(high).toBeGreaterThanOrEqual(valueOf(estimate))
        expect(high).toBeLessThanOrEqual(100)
        expect(high).toBeGreaterThan(low)
      }),
    )
  })

  it('lets the event loop breathe', async () => {
    let breaths = 0
    const pool = poolOf(drawModels(40, 800, { seed: 1 }), drawModels(40, 800, { seed: 2 }))
    await uLira(pool, () => Promise.resolve(void breaths++))
    expect(breaths).toBeGreaterThan(0)
  })

  const pool = poolOf(drawModels(3, 2, { seed: 1 }), drawModels(3, 2, { seed: 2 }))

  it('is missing, with its reason, never 0 or 50', async () => {
    const two = drawModels(2, 2, { seed: 1 })
    const three = drawModels(3, 2, { seed: 2 })
    expect(await uLira(poolOf(two, three))).toEqual({ missing: 'sample 0 has 2 in models, and needs 3' })
    expect(await uLira(poolOf(three, two))).toEqual({ missing: 'sample 0 has 2 out models, and needs 3' })
    expect(await uLira(withPhi(pool, 5, NaN))).toEqual({ missing: 'a margin is not finite' })
    const empty = { values: new Float64Array(), models: 3, samples: 0 }
    expect(await uLira(poolOf(empty, empty))).toEqual({ missing: 'the set is empty' })
    const none = { values: new Float64Array(), models: 0, samples: 2 }
    expect(await uLira(poolOf(none, none))).toEqual({ missing: 'there are no models' })
  })

  it('refuses margins that are not of the models and samples they are said to be of', async () => {
    await expect(uLira({ ...pool, models: 5 })).rejects.toThrow(
      /12 margins are not those of 5 models on 2 samples/,
    )
    await expect(uLira({ ...pool, members: new Uint8Array(3) })).rejects.toThrow(/3 memberships/)
    expect(() => poolOf(drawModels(2, 2, { seed: 1 }), drawModels(2, 3, { seed: 1 }))).toThrow(/2 samples/)
  })
})
