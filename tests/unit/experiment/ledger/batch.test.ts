import { expect, test } from 'vitest'
import { nextBatch } from '../../../../experiment/ledger/batch.ts'

const open = [
  { number: 4, received: '2026-11-30T12:00:00.000Z' },
  { number: 5, received: '2026-12-01T11:59:00.000Z' },
]

test('without a batch, each request is settled alone and at once', () => {
  expect(nextBatch({}, open)).toEqual({ first: 4, last: 4 })
  expect(nextBatch({}, [])).toBeUndefined()
})

test.each([
  ['90m', '2026-11-30T13:30:00.000Z'],
  ['12h', '2026-12-01T00:00:00.000Z'],
  ['1d', '2026-12-01T12:00:00.000Z'],
])('a batch of %s ends that long after its first request', (batch, until) => {
  expect(nextBatch({ batch }, open)).toEqual({ first: 4, last: 5, until })
  // A later request does not move the end.
  expect(nextBatch({ batch }, open.slice(0, 1))).toEqual({ first: 4, last: 4, until })
  expect(nextBatch({ batch }, [])).toBeUndefined()
})
