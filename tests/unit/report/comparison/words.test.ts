import { expect, test } from 'vitest'
import { nameAndValue, valueText } from '../../../../report/comparison/words.ts'

test.each([
  [null, '–'],
  [8, '8'],
  [-0.123456789, '−0.1235'],
  [true, 'true'],
  ['leave-out', 'leave-out'],
  ['{"samples":12,"neighbours":5}', 'samples 12, neighbours 5'],
  ['{"kind":"exact, or not","more":{"share":0.5}}', 'kind exact, or not, more share 0.5'],
  ['[3,5]', '3, 5'],
  // Long options are cut off.
  ['{"samples":12,"layers":["conv1","con…', 'samples 12, layers conv1, con…'],
])('the value %j stands as %s', (value, text) => {
  expect(valueText(value)).toBe(text)
})

test('options stand in parentheses behind their name', () => {
  expect(nameAndValue({ name: 'maps' }, '{"samples":12,"neighbours":5}')).toBe(
    'maps (samples 12, neighbours 5)',
  )
  expect(nameAndValue({ name: 'rank' }, 8)).toBe('rank 8')
  expect(nameAndValue({ name: 'maps' }, null)).toBe('maps –')
  expect(nameAndValue({ name: 'methods[1].method' }, 'rfa')).toBe('rfa')
})
