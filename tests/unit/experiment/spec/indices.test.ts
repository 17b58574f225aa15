import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../../common/canonical.ts'
import { ascending, checkIndices, indicesOf, parseIndices } from '../../../../experiment/spec/indices.ts'
import { problemsOf } from '../sample.ts'

describe('a file of indices', () => {
  test('has them in any order and layout, with comments', () => {
    expect(parseIndices('# forget these\n7, 3\n\n 12\t0 # the first\r\n5', 'f.txt')).toEqual([0, 3, 5, 7, 12])
  })

  test('is read back whatever it was written with', () => {
    const distinct = fc.uniqueArray(fc.nat(100_000), { minLength: 1 })
    fc.assert(
      fc.property(distinct, fc.constantFrom('\n', ', ', ' ', '\r\n', ' # x\n'), (indices, separator) => {
        expect(parseIndices(indices.join(separator), 'f.txt')).toEqual(ascending(indices))
      }),
    )
  })

  test.each([
    ['a name', '3\n4 cat', 2, 3, `expected a sample's index, a whole number from 0, found "cat"`],
    ['a negative number', '-3', 1, 1, `expected a sample's index, a whole number from 0, found "-3"`],
    ['a fraction', '3.5', 1, 1, `expected a sample's index, a whole number from 0, found "3.5"`],
    ['a list in brackets', '[3, 4]', 1, 1, `expected a sample's index, a whole number from 0, found "[3"`],
    ['hexadecimal', '0x10', 1, 1, `expected a sample's index, a whole number from 0, found "0x10"`],
    ['one twice', '3\n4\n4', 3, 1, 'sample 4 is listed twice, first on line 2; remove one'],
    ['one twice, written otherwise', '3 003', 1, 3, 'sample 3 is listed twice, first on line 1; remove one'],
  ])('with %s is refused at its place', (_, text, line, column, message) => {
    expect(problemsOf(() => parseIndices(text, 'f.txt'))[0]).toEqual({
      file: 'f.txt',
      line,
      column,
      message,
    })
  })

  test('without an index is refused', () => {
    expect(problemsOf(() => parseIndices('# none\n\n', 'f.txt'))).toEqual([
      { file: 'f.txt', message: 'the file names no sample; expected indices, one a line' },
    ])
  })

  test('that is none is refused in a few lines', () => {
    const problems = problemsOf(() => parseIndices('cat\n'.repeat(500), 'f.txt'))
    expect(problems).toHaveLength(11)
    expect(problems.at(-1)).toEqual({ file: 'f.txt', message: '490 more of them are wrong' })
  })

  test('has a digest, which may be asked for', () => {
    const bytes = new TextEncoder().encode('2\n1\n')
    const digest = sha256(bytes)
    expect(indicesOf(bytes, 'f.txt')).toEqual({ sha256: digest, indices: [1, 2] })
    expect(indicesOf(bytes, 'f.txt', digest).indices).toEqual([1, 2])
    expect(problemsOf(() => indicesOf(bytes, 'f.txt', '0'.repeat(64)))).toMatchObject([
      { path: 'split.sha256', message: expect.stringContaining(digest) as string },
    ])
  })
})

test('only training samples can be forgotten, and there have to be such samples', () => {
  const sets = {
    train: Int32Array.of(0, 2, 5),
    validation: Int32Array.of(1),
    test: Int32Array.of(3, 4),
  }
  expect(problemsOf(() => checkIndices([0, 2, 5], sets))).toEqual([])
  expect(problemsOf(() => checkIndices([2, 1, 4, 6], sets, 'split.file'))).toEqual([
    {
      path: 'split.file',
      message:
        'sample 1 is a validation sample, on which no model trains; only training samples can be forgotten',
    },
    {
      path: 'split.file',
      message: 'sample 4 is a test sample, on which no model trains; only training samples can be forgotten',
    },
    { path: 'split.file', message: "there is no sample 6: the data's 6 samples are 0 to 5" },
  ])
})
