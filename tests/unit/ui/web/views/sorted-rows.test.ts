import { expect, test } from 'vitest'
import { stream } from '../../../../../learning/random.ts'
import { sortedRows } from '../../../../../ui/web/views/run/tabs/sorted-rows.ts'

test('the order is that of a sort that compares, with equal values in the order of the rows', () => {
  const source = stream(0, 'sorted-rows')
  const values = Float64Array.from({ length: 5000 }, (_, i) =>
    i % 3 === 0 ? Math.round(10 * source.normal()) / 10 : source.normal() * 10 ** source.integer(40),
  )
  const expected = Array.from(values, (_, row) => row).sort(
    (a, b) => (values[a] ?? NaN) - (values[b] ?? NaN) || a - b,
  )
  expect([...sortedRows(values)]).toEqual(expected)
})

test('signs, infinities, zeros of both signs and missing values have their places', () => {
  expect([...sortedRows(Float64Array.of(NaN, Infinity, 0, -1e-300, -0, -Infinity, -NaN, 5e-324))]).toEqual([
    5, 3, 2, 4, 7, 1, 0, 6,
  ])
  expect([...sortedRows(new Float64Array())]).toEqual([])
})
