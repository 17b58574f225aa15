import { describe, expect, test } from 'vitest'
import { clip, duration } from '../../../../cli/output/format.ts'

describe('durations', () => {
  test.each([
    [0.04, '0.0 s'],
    [3.21, '3.2 s'],
    [9.97, '10 s'],
    [59.4, '59 s'],
    [59.9, '60 s'],
    [125, '2 min 5 s'],
    [3599.9, '1 h 0 min'],
    [7265, '2 h 1 min'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text)
  })
})

test('a clipped line says that it was cut', () => {
  expect(clip('abcdef', 6)).toBe('abcdef')
  expect(clip('abcdefg', 6)).toBe('abcde…')
  expect(clip('ab\x1b[2Jcdef', 8)).toBe(String.raw`ab\x1b[…`)
  expect(clip('a\nb', 4)).toBe(String.raw`a\nb`)
})
