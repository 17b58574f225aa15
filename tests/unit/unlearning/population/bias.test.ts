import { describe, expect, it, test } from 'vitest'
import {
  leastModels,
  measuredULira,
  tooFewFor,
  trueAccuracies,
  type TrueAccuracy,
} from '../../../../experiment/plan/population.ts'
import { stream } from '../../../../learning/random.ts'
import { poolOf } from '../../../../unlearning/population/pool.ts'
import { uLira } from '../../../../unlearning/population/u-lira.ts'
import { valueOf } from '../evaluated-models.ts'
import { marginsFrom } from './vectors.ts'

/**
 * Φ⁻¹ of the true accuracies. Two unit normal distributions at a distance of 2 Φ⁻¹(a) can be told
 * apart with an accuracy of at most a.
 */
const quantiles: Readonly<Record<TrueAccuracy, number>> = {
  60: 0.2533471031357997,
  70: 0.5244005127080407,
  84: 0.994457883209753,
  95: 1.6448536269514722,
}

/** The mean that U-LiRA measures over samples that are independent of each other. */
async function simulated(truth: TrueAccuracy, models: number, samples: number): Promise<number> {
  const random = stream(1, 'u-lira-bias', `${truth}`, models)
  const distance = 2 * quantiles[truth]
  const unlearned = marginsFrom(models, samples, () => distance + random.normal())
  const gold = marginsFrom(models, samples, () => random.normal())
  return valueOf(await uLira(poolOf(unlearned, gold)))
}

/** Enough for a standard error of about 0.15 points. */
const samplesFor = (models: number) => Math.ceil(60_000 / models)

describe('what U-LiRA measures of an attack with a known accuracy', () => {
  const cases = trueAccuracies.flatMap((truth) => [3, 8, 16, 32].map((models) => [truth, models] as const))

  it.each(cases)('a true %i percent with %i models of each kind', async (truth, models) => {
    const percent = await simulated(truth, models, samplesFor(models))
    expect(Math.abs(percent - measuredULira(truth, models))).toBeLessThan(0.6)
  })

  it('a true 84% with 64 models of each kind', async () => {
    expect(Math.abs((await simulated(84, 64, 1000)) - measuredULira(84, 64))).toBeLessThan(0.6)
  })

  it.each([10, 12, 24, 48])(
    'between the entries of the table: a true 84 percent with %i models',
    async (models) => {
      const percent = await simulated(84, models, samplesFor(models))
      expect(Math.abs(percent - measuredULira(84, models))).toBeLessThan(0.8)
    },
  )

  it('approaches the truth with many models, and needs three', () => {
    expect(measuredULira(84, 1e9)).toBeCloseTo(84, 6)
    expect(() => measuredULira(84, 2)).toThrow(/expected at least 3/)
  })
})

describe('too few models', () => {
  test('are named with the number that is needed', () => {
    expect(tooFewFor('klom', 3)).toBe(
      'KLoM needs 64 models of each kind; there are 3: with fewer, two gold models differ as much as the original does',
    )
    expect(tooFewFor('uLira', 7)).toMatch(/^U-LiRA needs 8 models of each kind; there are 7: /)
    expect(tooFewFor('forgettingQuality', 31)).toMatch(/^Forgetting quality needs 32 models/)
  })

  test.each(['uLira', 'forgettingQuality', 'klom'] as const)(
    'are enough from the least number on: %s',
    (figure) => {
      expect(tooFewFor(figure, leastModels[figure])).toBeUndefined()
      expect(tooFewFor(figure, leastModels[figure] - 1)).toBeDefined()
    },
  )
})
