import { expect, test } from 'vitest'
import { agoText, shortened } from '../../../../ui/web/format.ts'

test.each([
  [20, 'just now'],
  [5 * 60, '5 min ago'],
  [3 * 3600 + 59 * 60, '3 h ago'],
  [24 * 3600, '1 day ago'],
  [14 * 24 * 3600, '14 days ago'],
])('%i s ago is %s', (seconds, expected) => {
  const then = Date.parse('2025-11-24T12:00:00.000Z')
  expect(agoText(new Date(then).toISOString(), then + 1000 * seconds)).toBe(expected)
})

test('times of long ago are dates', () => {
  const then = Date.parse('2025-06-15T12:00:00.000Z')
  expect(agoText(new Date(then).toISOString(), then + 30 * 86_400_000)).toBe('2025-06-15')
})

test('a long text is cut with an ellipsis', () => {
  expect(shortened('a\n b', 10)).toBe('a b')
  expect(shortened('abcdef', 4)).toBe('abc…')
})
