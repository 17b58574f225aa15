import fc from 'fast-check'
import { expect, test } from 'vitest'
import { describeChanges, differences } from '../../../common/differences.ts'

test('names the smallest parts that differ', () => {
  const before = { name: 'a', methods: [{ rank: 4 }, { rank: 8, lambda: 1 }], seed: { data: 1 } }
  const after = { name: 'a', methods: [{ rank: 4 }, { rank: 16 }, { method: 'x' }], seed: 3 }
  expect(differences(before, after)).toEqual([
    { path: 'methods[1].rank', before: '8', after: '16' },
    { path: 'methods[1].lambda', before: '1', after: 'nothing' },
    { path: 'methods[2]', before: 'nothing', after: '{"method":"x"}' },
    { path: 'seed', before: '{"data":1}', after: '3' },
  ])
})

test('there are none exactly where the values are the same JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(differences(a, structuredClone(a))).toEqual([])
      expect(differences(a, b).length === 0).toBe(JSON.stringify(a) === JSON.stringify(b) || equal(a, b))
    }),
  )
})

/**
 * Compares values. The order of keys does not matter; an empty list differs from an empty mapping.
 */
const equal = (a: unknown, b: unknown): boolean => {
  try {
    expect(a).toEqual(b)
    return true
  } catch {
    return false
  }
}

test('what changed is told by its first three parts', () => {
  const changed = differences({ a: 1, b: 'x', c: [2, 3] }, { a: 2, c: [4, 5] })
  expect(changed).toHaveLength(4)
  expect(describeChanges(changed)).toBe('a: 1, here 2; b: "x", here nothing; c[0]: 2, here 4')
})
