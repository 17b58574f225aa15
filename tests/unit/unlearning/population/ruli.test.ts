import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wilsonInterval } from '../../../../common/interval.ts'
import { stream } from '../../../../learning/random.ts'
import { gaussian } from '../../../../unlearning/population/gaussian.ts'
import {
  kernelDensity,
  liraKernel,
  logKernelDensity,
} from '../../../../unlearning/population/kernel-density.ts'
import { balancedAccuracy, ruli } from '../../../../unlearning/population/ruli.ts'
import { shadowHalf } from '../../../../unlearning/population/shadows.ts'
import { halves, mostVulnerable, vulnerability } from '../../../../unlearning/population/vulnerable.ts'
import { expectClose, reference, valueOf } from '../evaluated-models.ts'
import { expectAllClose, intervalOf, toPool, type PlainPool } from './vectors.ts'

interface Attack {
  readonly scores: number[]
  readonly auc: number
  readonly balancedAccuracy: number
}
type Attacks = Readonly<Record<'gaussian' | 'kernel', Attack>>

const { ruli: vectors } = reference('judges.json') as {
  ruli: {
    name: string
    share: number
    members: number
    target: number[]
    shadow: PlainPool
    vulnerability: number[]
    chosen: number[]
    vulnerable: Attacks
    all: Attacks
  }[]
}

describe('the attack on vulnerable samples', () => {
  it.each(vectors)('against SciPy and scikit-learn: $name', async (vector) => {
    const { share, members } = vector
    const shadow = toPool(vector.shadow)
    const target = Float64Array.from(vector.target)
    const { selecting, attacking } = halves(shadow)

    const found = vulnerability(selecting)
    const scores = 'scores' in found ? found.scores : new Float64Array()
    expectAllClose(scores, vector.vulnerability)
    expect([
      ...mostVulnerable(scores.subarray(0, members), share),
      ...mostVulnerable(scores.subarray(members), share).map((i) => i + members),
    ]).toEqual(vector.chosen)
    const kernel = liraKernel(target, attacking)
    expectAllClose('scores' in kernel ? kernel.scores : [], vector.all.kernel.scores, 1e-8)

    const { samples, models } = await ruli({ target, shadow, members }, share)
    expect(models).toEqual({ selecting: selecting.models, attacking: attacking.models })
    for (const name of ['vulnerable', 'all'] as const)
      for (const density of ['gaussian', 'kernel'] as const) {
        const attack = samples[name].attacks[density]
        expectClose(valueOf(attack.auc), vector[name][density].auc)
        expectClose(valueOf(attack.balancedAccuracy), vector[name][density].balancedAccuracy)
      }
    expect(samples.vulnerable.members + samples.vulnerable.nonMembers).toBe(vector.chosen.length)
  })

  it('finds a model out by few samples where an attack on all of them hardly does', async () => {
    const [samples, members, models] = [2000, 1000, 32]
    const random = stream(3, 'test-ruli')
    const half = Array.from({ length: models }, (_, index) => shadowHalf(samples, 4, index))
    // One sample in twenty is memorised.
    const effect = Float64Array.from({ length: samples }, () => (random.uniform() < 0.05 ? 4 : 0))
    const phi = (trained: boolean, i: number) => (trained ? (effect[i] ?? NaN) : 0) + random.normal()
    const shadow = {
      models,
      samples,
      values: Float64Array.from({ length: models * samples }, (_, k) =>
        phi(half[Math.floor(k / samples)]?.[k % samples] === 1, k % samples),
      ),
      members: Uint8Array.from(half.flatMap((one) => [...one])),
    }
    const target = Float64Array.from({ length: samples }, (_, i) => phi(i < members, i))
    const { vulnerable, all } = (await ruli({ target, shadow, members }, 0.05)).samples
    expect([vulnerable.members, vulnerable.nonMembers]).toEqual([50, 50])
    for (const density of ['gaussian', 'kernel'] as const) {
      expect(valueOf(vulnerable.attacks[density].auc)).toBeGreaterThan(0.9)
      expect(valueOf(vulnerable.attacks[density].balancedAccuracy)).toBeGreaterThan(0.85)
      expect(valueOf(all.attacks[density].auc)).toBeLessThan(0.6)
    }
    // A model that never saw the samples is at chance.
    const gold = Float64Array.from({ length: samples }, (_, i) => phi(false, i))
    const { vulnerable: ofGold } = (await ruli({ target: gold, shadow, members }, 0.05)).samples
    const [low, high] = intervalOf(ofGold.attacks.kernel.auc)
    expect(low).toBeLessThan(0.5)
    expect(high).toBeGreaterThan(0.5)
  })

  it('selects by models that have no part in the attack, and by neither the attacked model', async () => {
    const [vector] = vectors
    if (!vector) throw new Error('there are no vectors')
    const shadow = toPool(vector.shadow)
    const { selecting, attacking } = halves(shadow)
    expect(selecting.models + attacking.models).toBe(shadow.models)
    expect([...selecting.values, ...attacking.values]).toEqual([...shadow.values])
    const attacked = (target: readonly number[]) =>
      ruli({ target: Float64Array.from(target), shadow, members: vector.members }, 0.25)
    const [one, other] = [await attacked(vector.target), await attacked(vector.target.map((v) => 3 - v))]
    expect(other.samples.vulnerable.members).toBe(one.samples.vulnerable.members)
    expect(other.samples.vulnerable.attacks).not.toEqual(one.samples.vulnerable.attacks)
  })

  it.each([
    ['no members', 0, 'there are no members'],
    ['no non-members', 4, 'there are no non-members'],
  ])('has no figure for %s', async (_, members, missing) => {
    const shadow = {
      models: 8,
      samples: 4,
      values: Float64Array.from({ length: 32 }, (_, i) => i % 7),
      members: Uint8Array.from({ length: 32 }, (_, i) => Math.floor(i / 4) % 2),
    }
    const { samples } = await ruli({ target: Float64Array.of(1, 2, 3, 4), shadow, members }, 0.5)
    for (const { attacks } of [samples.vulnerable, samples.all])
      expect(attacks.kernel.auc).toEqual({ missing })
  })

  it('says that a margin is not finite', async () => {
    const shadow = {
      models: 8,
      samples: 2,
      values: Float64Array.from({ length: 16 }, (_, i) => (i === 3 ? NaN : i)),
      members: Uint8Array.from({ length: 16 }, (_, i) => Math.floor(i / 2) % 2),
    }
    const { samples } = await ruli({ target: Float64Array.of(1, 2), shadow, members: 1 }, 1)
    expect(samples.vulnerable.attacks.gaussian.auc).toEqual({
      missing: 'shadow models: a margin is not finite',
    })
  })
})

describe('a kernel density', () => {
  const values = fc.array(fc.double({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 8 })

  it('is finite far from all values, and integrates to 1', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.1, max: 5, noNaN: true }), (all, deviation) => {
        const density = kernelDensity(Float64Array.from(all), gaussian(0, deviation ** 2))
        expect(Number.isFinite(logKernelDensity(1e6, density))).toBe(true)
        const { bandwidth } = density
        const width = bandwidth / 4
        let sum = 0
        for (let x = -30 - 8 * bandwidth; x <= 30 + 8 * bandwidth; x += width)
          sum += Math.exp(logKernelDensity(x, density) - Math.log(2 * Math.PI) / 2) * width
        expectClose(sum, 1, 1e-6)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the balanced accuracy of an attack', () => {
  it('weights both kinds alike, counts 0 half, and has the interval of so many samples', () => {
    const found = balancedAccuracy(Float64Array.of(1, 2, 0, -1), Float64Array.of(-1, 1))
    expect(valueOf(found)).toBeCloseTo((2.5 / 4 + 1 / 2) / 2)
    const n = 4 / (1 / 4 + 1 / 2)
    expect(intervalOf(found)).toEqual(wilsonInterval(0.5625 * n, n))
  })
})
