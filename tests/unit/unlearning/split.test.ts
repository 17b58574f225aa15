import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SplitSpec } from '../../../experiment/spec.ts'
import { partition } from '../../../learning/partition.ts'
import { splitData } from '../../../unlearning/split.ts'

const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b)

/** 60 to 400 samples of five classes, cut as a data set without test files is. */
const cut = fc
  .record({ n: fc.integer({ min: 60, max: 400 }), seed: fc.nat(), validation: fc.constantFrom(0, 9) })
  .map(({ n, seed, validation }) => ({
    labels: Int32Array.from({ length: n }, (_, i) => (i * 7 + (i >> 3)) % 5),
    parts: partition({ train: n - 20 - validation, validation, test: 20 }, n, seed),
  }))

test.each<[string, SplitSpec, readonly number[]]>([
  ['whole classes', { kind: 'class', classes: [1, 3] }, [1, 3]],
  ['a random fraction', { kind: 'random', fraction: 0.2 }, []],
  ['a random count', { kind: 'random', count: 7 }, []],
])('%s: every sample is in exactly one set, and only training samples are forgotten', (_, spec, classes) => {
  fc.assert(
    fc.property(cut, fc.nat(), ({ labels, parts }, seed) => {
      const split = splitData(parts, labels, spec, classes, seed)
      expect(ascending([...split.retained, ...split.forget])).toEqual([...parts.train])
      const tested = [...split.test, ...split.attackTest, ...split.forgottenTest]
      expect(ascending(tested)).toEqual([...parts.test])
      expect(Math.abs(split.test.length - split.attackTest.length)).toBeLessThanOrEqual(1)
      for (const set of Object.values(split) as Int32Array[]) expect([...set]).toEqual(ascending(set))
    }),
  )
})

test('a forgotten class is forgotten whole, and is in no set that gold is judged on', () => {
  fc.assert(
    fc.property(cut, ({ labels, parts }) => {
      const split = splitData(parts, labels, { kind: 'class', classes: [2] }, [2], 1)
      const ofClass = (indices: Int32Array) => indices.filter((i) => labels[i] === 2).length
      expect(ofClass(split.forget)).toBe(split.forget.length)
      expect(ofClass(split.forgottenTest)).toBe(split.forgottenTest.length)
      for (const set of [split.retained, split.test, split.attackTest, split.validation])
        expect(ofClass(set)).toBe(0)
    }),
  )
})

test('another seed draws other samples, the same seed the same', () => {
  const parts = partition({ train: 210, validation: 0, test: 90 }, 300, 1)
  const forgotten = (seed: number) => [
    ...splitData(parts, new Int32Array(300), { kind: 'random', count: 30 }, [], seed).forget,
  ]
  expect(forgotten(1)).toEqual(forgotten(1))
  expect(forgotten(2)).not.toEqual(forgotten(1))
  expect(forgotten(1)).toHaveLength(30)
})
