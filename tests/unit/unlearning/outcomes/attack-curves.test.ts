import { describe, expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import type { Logits } from '../../../../unlearning/metrics/logits.ts'
import { unsignedCurve } from '../../../../unlearning/outcomes/attack-curves.ts'

/** Samples of one class with one output each, normal around a mean. */
function samples(name: string, count: number, mean: number): Logits {
  const random = stream(1, name)
  const values = Float32Array.from({ length: count }, () => mean + random.normal())
  return { values, labels: new Int32Array(count), classes: 1 }
}

const sets = {
  retained: samples('retained', 80, 2),
  test: [samples('attack test', 30, 0), samples('test', 30, 0)],
  members: samples('forget', 25, 1),
  nonMembers: [samples('never seen', 40, 0)],
}
const output = ({ values }: Logits) => Float64Array.from(values)

describe('the curve of a score without a known sign', () => {
  const curve = unsignedCurve(output, sets)

  test('has the area that counting pairs gives', () => {
    const [members, others] = [output(sets.members), output(sets.nonMembers[0] ?? sets.members)]
    const above = [...members].flatMap((score) => [...others].filter((other) => score > other)).length
    expect(curve).toMatchObject({ members: 25, nonMembers: 40, auc: above / (25 * 40) })
  })

  test('is the same if the score is low for members', () => {
    expect(unsignedCurve((set) => output(set).map((value) => -value), sets)).toEqual(curve)
  })

  test('may be below chance, since neither the members nor the non-members decide the sign', () => {
    const [members] = sets.nonMembers
    const swapped = { ...sets, members: members ?? sets.members, nonMembers: [sets.members] }
    const { auc } = curve as { readonly auc: number }
    expect((unsignedCurve(output, swapped) as { readonly auc: number }).auc).toBeCloseTo(1 - auc, 12)
  })

  test('is missing without members', () => {
    const empty = { values: new Float32Array(), labels: new Int32Array(), classes: 1 }
    expect(unsignedCurve(output, { ...sets, members: empty })).toHaveProperty('missing')
  })
})
