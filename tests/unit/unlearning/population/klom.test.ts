import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { klom } from '../../../../unlearning/population/klom.ts'
import { column } from '../../../../unlearning/population/pool.ts'
import { expectClose, valueOf } from '../evaluated-models.ts'
import { anyMargins, anyOrder, drawModels, permuted, toMargins, vectors, withPhi } from './vectors.ts'

describe('against NumPy and SciPy', () => {
  it.each(vectors.klom)('$name', ({ unlearned, gold, mean, percentile95 }) => {
    const divergence = klom(toMargins(unlearned), toMargins(gold))
    expectClose(valueOf(divergence.mean), mean)
    expectClose(valueOf(divergence.percentile95), percentile95)
  })
})

describe('KLoM', () => {
  it('is 0 from models to themselves, in any order', () => {
    fc.assert(
      fc.property(anyMargins(5, 4), anyOrder(5), (models, order) => {
        const zero = { mean: { value: 0 }, percentile95: { value: 0 } }
        expect(klom(models, permuted(models, order, [0, 1, 2, 3]))).toEqual(zero)
      }),
    )
  })

  it('does not depend on the order of models or samples, and is not below 0', () => {
    fc.assert(
      fc.property(
        anyMargins(4, 5),
        anyMargins(6, 5),
        anyOrder(4),
        anyOrder(6),
        anyOrder(5),
        (a, b, ofA, ofB, order) => {
          const divergence = klom(a, b)
          const again = klom(permuted(a, ofA, order), permuted(b, ofB, order))
          expectClose(valueOf(again.mean), valueOf(divergence.mean))
          expectClose(valueOf(again.percentile95), valueOf(divergence.percentile95))
          expect(valueOf(divergence.mean)).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  it('is taken from unlearned to gold', () => {
    // All unlearned models lie where half of gold's are, which gives log 2. In the other direction,
    // half of gold's lie where no unlearned model is.
    const models = (values: readonly number[]) => toMargins({ values, models: 4, samples: 1 })
    const [narrow, wide] = [models([1, 1, 1, 1]), models([1, 1, 9, 9])]
    expectClose(valueOf(klom(narrow, wide).mean), Math.log(2))
    expect(valueOf(klom(wide, narrow).mean)).toBeGreaterThan(4)
  })

  it('counts the greatest margin', () => {
    const models = (values: readonly number[]) => toMargins({ values, models: 2, samples: 1 })
    expectClose(valueOf(klom(models([0, 0]), models([0, 9])).mean), Math.log(2))
  })

  it('clips margins to ±100 nats', () => {
    const models = (values: readonly number[]) => toMargins({ values, models: 2, samples: 1 })
    expect(klom(models([110, 300]), models([150, 120])).mean).toEqual({ value: 0 })
    expect(klom(models([-110, -300]), models([-150, -120])).mean).toEqual({ value: 0 })
    expect(valueOf(klom(models([90, 95]), models([150, 120])).mean)).toBeGreaterThan(1)
  })

  it('sees a planted shift of φ above what another seed gives', () => {
    const gold = drawModels(40, 100, { seed: 1 })
    const floor = valueOf(klom(drawModels(40, 100, { seed: 2 }), gold).mean)
    expect(valueOf(klom(drawModels(40, 100, { seed: 2, drop: 1.5 }), gold).mean)).toBeGreaterThan(2 * floor)
  })

  it('is missing, with its reason, never 0', () => {
    const models = drawModels(3, 2, { seed: 1 })
    const both = (missing: string) => ({ mean: { missing }, percentile95: { missing } })
    const empty = { values: new Float64Array(), models: 3, samples: 0 }
    expect(klom(drawModels(1, 2, { seed: 1 }), models)).toEqual(both('one model has no distribution'))
    expect(klom(models, drawModels(1, 2, { seed: 1 }))).toEqual(both('gold: one model has no distribution'))
    expect(klom(models, withPhi(models, 0, NaN))).toEqual(both('gold: a margin is not finite'))
    expect(klom(withPhi(models, 0, Infinity), models)).toEqual(both('a margin is not finite'))
    expect(klom(empty, empty)).toEqual(both('the set is empty'))
    expect(() => klom(models, empty)).toThrow(/2 samples/)
  })
})

describe('against the code of the paper, on normal margins', () => {
  const edgesOf = (low: number, high: number, edges: number) =>
    Array.from({ length: edges }, (_, i) => low + ((high - low) * i) / (edges - 1))

  /**
   * The paper's algorithm, with 20 edges; and that of the later benchmark, with 21. Both lose the
   * greatest margin.
   */
  const published = (a: Float64Array, b: Float64Array, edges: number): number => {
    const all = [...a, ...b]
    const limits = edgesOf(Math.min(...all), Math.max(...all), edges)
    const shares = (values: Float64Array) => {
      const counts = limits.slice(1).map((high, i) => {
        const low = limits[i] ?? NaN
        return values.filter((value) => value >= low && value < high).length
      })
      const total = counts.reduce((sum, count) => sum + count, 0)
      return counts.map((count) => count / total)
    }
    const [p, q] = [shares(a), shares(b).map((share) => Math.max(1e-5, share))]
    const sum = q.reduce((total, share) => total + share, 0)
    return p.reduce(
      (nats, share, i) => nats + (share > 0 ? share * Math.log((share * sum) / (q[i] ?? NaN)) : 0),
      0,
    )
  }

  const samples = 3000
  const draw = (models: number, drop: number) => ({
    a: drawModels(models, samples, { seed: 1, drop }),
    b: drawModels(models, samples, { seed: 2 }),
  })
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const publishedOn = ({ a, b }: ReturnType<typeof draw>, edges: number) =>
    Array.from({ length: samples }, (_, sample) =>
      published(column(a, sample), column(b, sample), edges),
    ).filter((nats) => !Number.isNaN(nats))

  it.each([
    [3, 9.2],
    [8, 6.3],
    [32, 1.6],
    [64, 0.6],
  ])('alike models of %i of a kind have a mean of %d nats by chance', (models, expected) => {
    const { a, b } = draw(models, 0)
    expect(Math.abs(valueOf(klom(a, b).mean) - expected)).toBeLessThan(0.1)
  })

  it.each([
    [0, 0.02],
    [1, 0.07],
  ])('with 64 models, kinds %d deviations apart, the greatest margin adds %d nats', (drop, expected) => {
    const models = draw(64, -drop)
    const difference = valueOf(klom(models.a, models.b).mean) - meanOf(publishedOn(models, 20))
    expect(Math.abs(difference - expected)).toBeLessThan(0.015)
  })

  it('20 bins add 0.04 nats to the mean with 64 models, and change a sample by 1 nat with 8', () => {
    const many = draw(64, 0)
    const added = meanOf(publishedOn(many, 21)) - meanOf(publishedOn(many, 20))
    expect(Math.abs(added - 0.04)).toBeLessThan(0.015)
    const few = draw(8, 0)
    const [narrow, wide] = [publishedOn(few, 21), publishedOn(few, 20)]
    const change = meanOf(narrow.map((nats, i) => Math.abs(nats - (wide[i] ?? NaN))))
    expect(change).toBeGreaterThan(0.8)
    expect(change).toBeLessThan(1.5)
  })
})
