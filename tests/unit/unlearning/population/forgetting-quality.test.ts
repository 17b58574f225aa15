import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  forgettingQuality,
  points,
  sampleEpsilon,
} from '../../../../unlearning/population/forgetting-quality.ts'
import { column } from '../../../../unlearning/population/pool.ts'
import { expectClose, valueOf } from '../evaluated-models.ts'
import {
  anyMargins,
  anyOrder,
  drawModels,
  marginsFrom,
  permuted,
  toMargins,
  vectors,
  withPhi,
} from './vectors.ts'

const equalUtility = {
  unlearned: { ra: { value: 98 }, ta: { value: 90 } },
  gold: { ra: { value: 98 }, ta: { value: 90 } },
}

describe('against a fine grid of thresholds', () => {
  it.each(vectors.forgettingQuality)('$name', async (expected) => {
    const [unlearned, gold] = [toMargins(expected.unlearned), toMargins(expected.gold)]
    expected.epsilons.forEach((epsilon, sample) => {
      expectClose(sampleEpsilon(column(unlearned, sample), column(gold, sample)) ?? NaN, epsilon)
    })
    const { forgetting } = await forgettingQuality(unlearned, gold, equalUtility)
    expectClose(valueOf(forgetting), expected.forgetting)
  })
})

describe('points', () => {
  it('halve with every bin of width ½, and end with the last', () => {
    expect([0, 0.49, 0.5, 0.99, 1, 6.99].map((epsilon) => points(epsilon, 14))).toEqual([
      1,
      1,
      0.5,
      0.5,
      0.25,
      2 ** -13,
    ])
    expect([7, 50].map((epsilon) => points(epsilon, 14))).toEqual([0, 0])
  })

  it('end at ⌈log(N − 1)⌉: 14 bins for 512 models', async () => {
    // Two models of each kind lie where those of the other kind are, so that ε = log(1 − δ − 2/N) −
    // log(2/N).
    const mostly = (models: number, phi: number) => marginsFrom(models, 1, (m) => (m < 2 ? 1 - phi : phi))
    const of = async (models: number) =>
      valueOf((await forgettingQuality(mostly(models, 1), mostly(models, 0), equalUtility)).forgetting)
    expect(await of(512)).toBe(2 ** -11) // ε = log 255 = 5.54, bin 12 of 14
    expect(await of(31)).toBe(2 ** -5) // ε = log 14.5 = 2.67, bin 6 of 8
    expect(await of(3)).toBe(0.5) // the other way round: ε = log 2 = 0.69, bin 2 of 2
  })
})

describe('ε of a sample', () => {
  const array = (values: readonly number[]) => Float64Array.from(values)

  it('is unbounded where models are told apart, here 50', () => {
    expect(sampleEpsilon(array([1, 2, 3]), array([4, 5, 6]))).toBe(50)
    expect(sampleEpsilon(array([4, 5, 6]), array([1, 2, 3]))).toBe(50)
    // Between two thresholds, where one cannot.
    expect(sampleEpsilon(array([-0.2, 0, 0.1]), array([-9, 7, 9]))).toBe(50)
  })

  it('is 50 where one kind hardly spreads at all', () => {
    expect(sampleEpsilon(array([1, 1, 1, 1.001]), array([0, 1, 1, 2]))).toBe(50)
  })

  it('leaves out a threshold at which only one error is 0', () => {
    // The single thresholds above 0 have no false positive; at 0 there is one of each.
    const epsilon = sampleEpsilon(array([-1, 3, 4, 5]), array([-3, -2, -1.5, 0]))
    expectClose(epsilon ?? NaN, Math.log((1 - 1e-5 - 1 / 4) / (1 / 4)))
  })

  it('cannot be told where all φ are equal', () => {
    expect(sampleEpsilon(array([1, 1, 1]), array([1, 1, 1]))).toBeUndefined()
  })
})

describe('forgetting quality', () => {
  it('is a share, and does not depend on the order of models or samples', async () => {
    const orders = fc.tuple(anyOrder(6), anyOrder(6), anyOrder(3))
    await fc.assert(
      fc.asyncProperty(anyMargins(6, 3), anyMargins(6, 3), orders, async (a, b, [ofA, ofB, samples]) => {
        const { forgetting } = await forgettingQuality(a, b, equalUtility)
        const again = await forgettingQuality(
          permuted(a, ofA, samples),
          permuted(b, ofB, samples),
          equalUtility,
        )
        expect(again.forgetting).toEqual(forgetting)
        if ('missing' in forgetting) return
        expect(forgetting.value).toBeGreaterThanOrEqual(0)
        expect(forgetting.value).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('sees a planted shift of φ below what another seed gives', async () => {
    const gold = drawModels(32, 100, { seed: 1 })
    const of = async (drop: number) =>
      valueOf(
        (await forgettingQuality(drawModels(32, 100, { seed: 2, drop }), gold, equalUtility)).forgetting,
      )
    expect(await of(2)).toBeLessThan(0.5 * (await of(0)))
  })

  it('is multiplied by the ratios of RA and TA for the score', async () => {
    const [unlearned, gold] = [drawModels(8, 20, { seed: 1 }), drawModels(8, 20, { seed: 2 })]
    const worse = { ...equalUtility, unlearned: { ra: { value: 49 }, ta: { value: 81 } } }
    const { forgetting, score } = await forgettingQuality(unlearned, gold, worse)
    expectClose(valueOf(score), valueOf(forgetting) * 0.5 * 0.9)
    const even = await forgettingQuality(unlearned, gold, equalUtility)
    expect(even.score).toEqual(even.forgetting)
  })

  it('has no score where RA or TA has no ratio, and is itself there', async () => {
    const models = drawModels(8, 5, { seed: 1 })
    const { forgetting, score } = await forgettingQuality(models, drawModels(8, 5, { seed: 2 }), {
      ...equalUtility,
      gold: { ra: { value: 0 }, ta: { value: 90 } },
    })
    expect(forgetting).toHaveProperty('value')
    expect(score).toEqual({ missing: 'RA: that of gold is 0' })
  })

  it('is missing, with its reason, never 0', async () => {
    const models = drawModels(3, 2, { seed: 1 })
    const of = async (unlearned: typeof models, gold: typeof models) =>
      (await forgettingQuality(unlearned, gold, equalUtility)).forgetting
    const empty = { values: new Float64Array(), models: 3, samples: 0 }
    expect(await of(drawModels(2, 2, { seed: 1 }), models)).toEqual({
      missing: '3 models are needed, and there are 2',
    })
    expect(await of(models, drawModels(1, 2, { seed: 1 }))).toEqual({
      missing: 'gold: 3 models are needed, and there are 1',
    })
    expect(await of(empty, empty)).toEqual({ missing: 'the set is empty' })
    expect(await of(models, withPhi(models, 1, NaN))).toEqual({ missing: 'gold: a margin is not finite' })
    const equal = marginsFrom(3, 2, () => 1)
    expect(await of(equal, equal)).toEqual({
      missing: "the models' margins tie on 2 samples, so that no attack has both errors",
    })
    await expect(of(models, empty)).rejects.toThrow(/2 samples/)
  })
})
