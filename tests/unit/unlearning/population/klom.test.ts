import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { klom } from '../../../../unlearning/population/klom.ts'
import { expectClose, valueOf } from '../judged-models.ts'
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
    // All unlearned models are where half of gold's are: log 2. The other way round half of gold's are where none is.
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
