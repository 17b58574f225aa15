import { describe, expect, test } from 'vitest'
import { classNames } from '../../../datasets/labels.ts'

describe('labels', () => {
  test('without names are the names of the classes, those without a sample included', () => {
    expect(classNames([0, 2, 2])).toEqual(['0', '1', '2'])
    expect(classNames([500, 0])).toHaveLength(501)
    expect(classNames(Array.from({ length: 5000 }, (_, i) => 2 * Math.floor(i / 10)))).toHaveLength(999)
  })

  test('of which one strays make no thousands of classes', () => {
    expect(() => classNames([0, 1, 2, 9999, 1])).toThrow(
      /has the label 9999 \(sample 3\), and 9996 of the classes 0 to 9999 have no sample; expected labels from 0 on/,
    )
    expect(
      classNames(
        [9999],
        Array.from({ length: 10_000 }, (_, i) => `n${i}`),
      ),
    ).toHaveLength(10_000)
  })

  test('whose classes are called alike are refused', () => {
    expect(() => classNames([0, 1], ['cat', 'dog', 'cat'])).toThrow(/two classes called "cat", 0 and 2/)
  })
})
