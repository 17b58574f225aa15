import { describe, expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { pairedTest } from '../../../../report/judgement/paired-test.ts'
import { poolOf, type Margins } from '../../../../unlearning/population/pool.ts'
import { uLira } from '../../../../unlearning/population/u-lira.ts'
import { drawModels, marginsFrom } from '../../unlearning/population/vectors.ts'

const SAMPLES = 60

/** Models that also differ as a whole: all margins of a model are higher or lower together. */
function shifted(models: number, seed: number, kind: number, drop = 0): Margins {
  const drawn = drawModels(models, SAMPLES, { seed: 3 * seed + kind, drop })
  const random = stream(seed, 'test-shift', kind)
  const shifts = Float64Array.from({ length: models }, () => 0.5 * random.normal())
  return marginsFrom(
    models,
    SAMPLES,
    (m, sample) => (drawn.values[m * SAMPLES + sample] ?? NaN) + (shifts[m] ?? NaN),
  )
}

async function accuracies(models: Margins, gold: Margins): Promise<readonly number[]> {
  const found = await uLira(poolOf(models, gold))
  if ('missing' in found) throw new Error(found.missing)
  return found.inside.map((accuracy, seed) => (accuracy + (found.outside[seed] ?? NaN)) / 2)
}

/** The share of simulated runs in which the method is further from gold than the floor at 5%. */
async function furtherShare(seeds: number, drop: number, runs: number): Promise<number> {
  let further = 0
  for (let run = 0; run < runs; run++) {
    const gold = shifted(seeds, run, 0)
    const own = await accuracies(shifted(seeds, run, 1, drop), gold)
    const floor = await accuracies(shifted(seeds, run, 2), gold)
    const { p } = pairedTest(
      own.map((accuracy, seed) => accuracy - (floor[seed] ?? NaN)),
      true,
    )
    if (p < 0.05) further++
  }
  return further / runs
}

describe('the test by U-LiRA', () => {
  test.each([8, 16, 32])('keeps its level of 5%% with %d seeds', async (seeds) => {
    // A level of 5% is above 0.09 in 100 runs with a probability of 3%.
    expect(await furtherShare(seeds, 0, 100)).toBeLessThanOrEqual(0.09)
  })

  test('has more power with more seeds', async () => {
    const [few, more] = [await furtherShare(8, 0.5, 60), await furtherShare(32, 0.5, 60)]
    expect(few).toBeLessThan(0.5)
    expect(more).toBeGreaterThan(0.6)
  })
})
