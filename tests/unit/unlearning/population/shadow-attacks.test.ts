import { shadowAttacks as attackNames, shadowFigures } from '../../../../experiment/records/measured.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { shadowAttacks } from '../../../../unlearning/population/shadow-attacks.ts'
import { poolAt, shadowHalf, type Shadows } from '../../../../unlearning/population/shadows.ts'
import { valueOf } from '../evaluated-models.ts'

describe('the halves of shadow models', () => {
  it('have every sample in exactly half of any even number of models, and pairs that share none', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.nat(1000),
        fc.integer({ min: 1, max: 8 }),
        (n, seed, pairs) => {
          const halves = Array.from({ length: 2 * pairs }, (_, index) => shadowHalf(n, seed, index))
          for (let i = 0; i < n; i++) {
            expect(halves.reduce((sum, members) => sum + (members[i] ?? NaN), 0)).toBe(pairs)
            for (let k = 0; k < pairs; k++)
              expect(halves[2 * k]?.[i]).toBe(1 - (halves[2 * k + 1]?.[i] ?? NaN))
          }
          for (const members of halves) {
            const size = members.reduce((sum, one) => sum + one, 0)
            expect(Math.abs(size - n / 2)).toBeLessThanOrEqual(0.5)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('differ from pair to pair and from seed to seed', () => {
    const one = shadowHalf(100, 1, 0)
    expect(shadowHalf(100, 1, 0)).toEqual(one)
    expect(shadowHalf(100, 1, 2)).not.toEqual(one)
    expect(shadowHalf(100, 2, 0)).not.toEqual(one)
  })
})

/**
 * φ of samples that differ in difficulty. It is greater by `leak` for models that trained on them.
 */
function drawn(
  models: number,
  samples: number,
  leak: number,
): { shadows: Shadows; phi: (isMember: boolean, i: number) => number } {
  const random = stream(5, 'test-shadows')
  const hardness = Float64Array.from({ length: samples }, () => 3 * random.normal())
  const phi = (isMember: boolean, i: number) => (hardness[i] ?? NaN) + random.normal() + (isMember ? leak : 0)
  const members = Uint8Array.from(
    Array.from({ length: models }, (_, m) => [...shadowHalf(samples, 1, m)]).flat(),
  )
  const values = Float32Array.from(members, (kind, at) => phi(kind === 1, at % samples))
  return { shadows: { values, members, models, samples }, phi }
}

const indices = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i)

/** The first `members` samples trained the attacked model, the others did not. */
async function attacked(leak: number, members: number, others: number, models = 8) {
  const { shadows, phi } = drawn(models, members + others, leak)
  const of = (from: number, to: number, target: Float64Array) => ({
    target: target.subarray(from, to),
    shadow: poolAt(shadows, indices(from, to)),
  })
  const target = Float64Array.from({ length: members + others }, (_, i) => phi(i < members, i))
  const all = members + others
  return shadowAttacks({ both: of(0, all, target), others: of(members, all, target) })
}

describe('attacks by shadow models', () => {
  it('find the members of a model that leaks, and of one that does not only by chance', async () => {
    const { members, nonMembers, attacks } = await attacked(2, 400, 1000)
    expect({ members, nonMembers }).toEqual({ members: 400, nonMembers: 1000 })
    const tight = await attacked(0, 400, 1000)
    for (const name of attackNames) {
      expect(valueOf(attacks[name].auc)).toBeGreaterThan(0.8)
      expect(valueOf(attacks[name].tprAt1)).toBeGreaterThan(0.04)
      expect(attacks[name].tprAt01).toEqual({
        missing: 'a false-positive rate of 0.1% needs 10000 non-members, and there are 1000',
      })
      expect(Math.abs(valueOf(tight.attacks[name].auc) - 0.5)).toBeLessThan(0.05)
      expect(valueOf(tight.attacks[name].tprAt1)).toBeLessThan(0.03)
    }
  })

  it.each([
    ['members', 0, 20, 'there are no members'],
    ['non-members', 20, 0, 'there are no non-members'],
  ])('without %s are missing, with the reason', async (_, members, others, missing) => {
    const { attacks } = await attacked(1, members, others)
    for (const name of attackNames)
      for (const figure of shadowFigures) expect(attacks[name][figure]).toEqual({ missing })
  })

  it('are missing where a logit was no number', async () => {
    const { shadows } = drawn(8, 30, 1)
    const both = { target: new Float64Array(30).fill(NaN), shadow: poolAt(shadows, indices(0, 30)) }
    const others = { target: new Float64Array(10).fill(1), shadow: poolAt(shadows, indices(20, 30)) }
    const { attacks } = await shadowAttacks({ both, others })
    for (const name of attackNames)
      expect(attacks[name].auc).toEqual({ missing: 'a margin of the attacked model is not finite' })
  })

  it('take the samples that they are given, in their order', () => {
    const { shadows } = drawn(4, 10, 1)
    const pool = poolAt(shadows, Int32Array.of(7, 2))
    expect(pool).toMatchObject({ models: 4, samples: 2 })
    for (let m = 0; m < 4; m++) {
      expect(pool.values[2 * m]).toBe(shadows.values[10 * m + 7])
      expect(pool.values[2 * m + 1]).toBe(shadows.values[10 * m + 2])
      expect(pool.members[2 * m]).toBe(shadows.members[10 * m + 7])
    }
  })
})
