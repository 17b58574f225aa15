import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../../../common/errors.ts'
import { hardnessNames, type SplitSpec } from '../../../../experiment/spec/split.ts'
import { labelsAt } from '../../../../learning/data/device-data.ts'
import { partition, type Partition } from '../../../../learning/data/partition.ts'
import { stream } from '../../../../learning/random.ts'
import { byHardness } from '../../../../unlearning/split/hardness.ts'
import { splitData, type Split } from '../../../../unlearning/split/split.ts'

const ascending = (values: Iterable<number>) => [...values].sort((a, b) => a - b)

/** 60 to 400 samples of five classes, cut as a data set without test files is. */
const cut = fc
  .record({ n: fc.integer({ min: 60, max: 400 }), seed: fc.nat(), validation: fc.constantFrom(0, 9) })
  .map(({ n, seed, validation }) => ({
    labels: Int32Array.from({ length: n }, (_, i) => (i * 7 + (i >> 3)) % 5),
    parts: partition({ train: n - 20 - validation, validation, test: 20 }, n, seed),
  }))

/** Every sample that is trained or tested on is in one set, once, and none changes sides. */
function expectPartition(split: Split, parts: Partition): void {
  expect(ascending([...split.retained, ...split.forget])).toEqual([...parts.train])
  const tested = [...split.test, ...split.attackTest, ...split.forgottenTest]
  expect(ascending(tested)).toEqual([...parts.test])
  expect(Math.abs(split.test.length - split.attackTest.length)).toBeLessThanOrEqual(1)
  for (const set of Object.values(split) as Int32Array[]) expect([...set]).toEqual(ascending(set))
}

test.each<[string, SplitSpec, readonly number[]]>([
  ['whole classes', { kind: 'class', classes: [1, 3] }, [1, 3]],
  ['a random fraction', { kind: 'random', fraction: 0.2 }, []],
  ['a random count', { kind: 'random', count: 7 }, []],
  ['a fraction of some classes', { kind: 'class-fraction', classes: [1, 3], fraction: 0.3 }, [1, 3]],
  ['a count of one class', { kind: 'class-fraction', classes: [2], count: 2 }, [2]],
])('%s: every sample is in exactly one set, and only training samples are forgotten', (_, spec, classes) => {
  fc.assert(
    fc.property(cut, fc.nat(), ({ labels, parts }, seed) => {
      expectPartition(splitData(parts, labels, spec, { seed, classes }), parts)
    }),
  )
})

test('a forgotten class is forgotten whole, and is in no set that gold is judged on', () => {
  fc.assert(
    fc.property(cut, ({ labels, parts }) => {
      const split = splitData(parts, labels, { kind: 'class', classes: [2] }, { seed: 1, classes: [2] })
      const ofClass = (indices: Int32Array) => indices.filter((i) => labels[i] === 2).length
      expect(ofClass(split.forget)).toBe(split.forget.length)
      expect(ofClass(split.forgottenTest)).toBe(split.forgottenTest.length)
      for (const set of [split.retained, split.test, split.attackTest, split.validation])
        expect(ofClass(set)).toBe(0)
    }),
  )
})

test('part of some classes: as many as asked for, of these classes alone, and the test set stays whole', () => {
  const sizes = fc.oneof(
    fc.record({ count: fc.integer({ min: 1, max: 8 }) }),
    fc.record({ fraction: fc.double({ min: 0.1, max: 0.9, noNaN: true }) }),
  )
  fc.assert(
    fc.property(cut, fc.nat(), sizes, ({ labels, parts }, seed, size) => {
      const classes = [1, 3]
      const members = parts.train.filter((i) => classes.includes(labels[i] ?? -1)).length
      const count = 'count' in size ? size.count : Math.round(size.fraction * members)
      fc.pre(count > 0 && count <= members)
      const split = splitData(parts, labels, { kind: 'class-fraction', classes, ...size }, { seed, classes })
      expect(split.forget).toHaveLength(count)
      for (const i of split.forget) expect(classes).toContain(labels[i])
      expect(split.forgottenTest).toHaveLength(0)
      expect(split.test.length + split.attackTest.length).toBe(parts.test.length)
      expect(split.validation).toEqual(parts.validation)
    }),
  )
})

test('more of a class than there is, or all that there is to train on, is refused', () => {
  const parts = partition({ train: 30, validation: 0, test: 10 }, 40, 1)
  const forget = (labels: Int32Array, count: number) =>
    splitData(parts, labels, { kind: 'class-fraction', classes: [0], count }, { seed: 1, classes: [0] })
      .forget.length
  const ofClass = parts.train[7] ?? 0
  const one = new Int32Array(40).fill(1)
  one[ofClass] = 0
  expect(forget(one, 1)).toBe(1)
  expect(() => forget(one, 2)).toThrow(
    'the classes have 1 of the 30 training samples, and 2 are to be forgotten; expected 1 to 1',
  )
  expect(forget(new Int32Array(40), 29)).toBe(29)
  expect(() => forget(new Int32Array(40), 30)).toThrow('expected 1 to 29')
})

test('samples by index are forgotten, and no others; a held-out one is refused', () => {
  fc.assert(
    fc.property(cut, fc.nat(), ({ labels, parts }, seed) => {
      const indices = parts.train.filter((i) => (i * 31 + seed) % 7 === 0)
      fc.pre(indices.length > 0)
      const by = (list: readonly number[]) =>
        splitData(parts, labels, { kind: 'indices', indices: [...list] }, { seed })
      expect(by([...indices]).forget).toEqual(indices)
      expectPartition(by([...indices]), parts)
      expect(by([...indices].reverse())).toEqual(by([...indices]))
      expect(() => by([...indices, parts.test[0] ?? 0])).toThrow(UserError)
    }),
  )
})

test('another seed draws other samples, the same seed the same', () => {
  const parts = partition({ train: 210, validation: 0, test: 90 }, 300, 1)
  const forgotten = (seed: number) => [
    ...splitData(parts, new Int32Array(300), { kind: 'random', count: 30 }, { seed }).forget,
  ]
  expect(forgotten(1)).toEqual(forgotten(1))
  expect(forgotten(2)).not.toEqual(forgotten(1))
  expect(forgotten(1)).toHaveLength(30)
})

test('a hard split forgets the samples at its end of the ranking, by their own indices', () => {
  fc.assert(
    fc.property(cut, fc.nat(), fc.integer({ min: 1, max: 9 }), ({ labels, parts }, seed, count) => {
      const random = stream(seed, 'logits')
      const logits = {
        values: Float32Array.from({ length: 5 * parts.train.length }, () => random.normal()),
        labels: labelsAt(labels, parts.train),
        classes: 5,
      }
      for (const by of hardnessNames) {
        if (count > byHardness(logits, by).length) continue
        const split = splitData(parts, labels, { kind: 'hard', by, count }, { seed, logits })
        expectPartition(split, parts)
        const ranked = [...byHardness(logits, by)].map((position) => parts.train[position] ?? -1)
        expect(ascending(split.forget)).toEqual(ascending(ranked.slice(0, count)))
      }
    }),
  )
})

test('more memorised samples than the original is right on are refused', () => {
  const parts = partition({ train: 4, validation: 0, test: 2 }, 6, 1)
  const logits = {
    values: Float32Array.of(1, 0, 0, 1, 0, 1, 1, 0),
    labels: Int32Array.of(0, 0, 0, 0),
    classes: 2,
  }
  const forget = (count: number) =>
    splitData(parts, new Int32Array(6), { kind: 'hard', by: 'most-memorised', count }, { seed: 1, logits })
      .forget
  expect([...forget(2)]).toEqual([parts.train[0], parts.train[3]])
  expect(() => forget(3)).toThrow(
    'the original is right on 2 of the 4 training samples, and can have memorised no other; 3 are to be forgotten, expected at most 2',
  )
})

describe('samples that are kept', () => {
  const sizes = { train: 60, validation: 20, test: 20 }
  const all = (of: Partition) => [...of.train, ...of.validation, ...of.test].sort((a, b) => a - b)

  test('stay training samples, and the sizes stay', () => {
    const usual = partition(sizes, 100, 1)
    const keep = [...usual.validation.slice(0, 5), ...usual.test.slice(0, 5), ...usual.train.slice(0, 5)]
    const kept = partition(sizes, 100, 1, keep)
    expect(keep.every((sample) => kept.train.includes(sample))).toBe(true)
    expect([kept.train.length, kept.validation.length, kept.test.length]).toEqual([60, 20, 20])
    expect(all(kept)).toEqual(all(usual))
    // Other test samples stay test samples.
    expect(usual.test.slice(5).every((sample) => kept.test.includes(sample))).toBe(true)
    expect(partition(sizes, 100, 1, [])).toEqual(usual)
  })

  test('are refused where too few others are left to set apart', () => {
    const keep = Array.from({ length: 61 }, (_, i) => i)
    expect(() => partition(sizes, 100, 1, keep)).toThrow('40 samples are to be set apart, and 39 may be')
  })
})
