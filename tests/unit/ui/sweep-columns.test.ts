import { expect, test } from 'vitest'
import type { SweepCell } from '../../../ui/contract.ts'
import { cellsOf, columnsOf } from '../../../ui/sweep-columns.ts'

const cells: readonly SweepCell[] = [
  {
    ...{ run: 'a', state: 'completed', values: { rank: '1', kind: 'x' } },
    rows: [
      { label: 'rfa', gap: 0.1 + 0.2, interval: [0.1, 1 / 3], rte: 1e-7 },
      { label: 'ssd' },
      { label: 'rfa', gap: 0, rte: 0 },
    ],
  },
  {
    ...{ run: 'b', state: 'running', values: { rank: '1', kind: 'y' }, rows: [] },
    running: [{ key: 'k', kind: 'train', title: 'train', state: 'running', step: 1, steps: 2 }],
  },
  { run: 'c', state: 'waiting', values: { rank: '16', kind: '' }, rows: [] },
]

test('cells are the same after they were columns and JSON, to the last digit', () => {
  expect(cellsOf(JSON.parse(JSON.stringify(columnsOf(cells))) as ReturnType<typeof columnsOf>)).toEqual(cells)
  expect(cellsOf(columnsOf([]))).toEqual([])
})

test('each text is in the columns once', () => {
  expect(columnsOf(cells).values.rank).toEqual({ texts: ['1', '16'], places: [0, 0, 1] })
  const [finished = expect.fail()] = cells
  const many = Array.from({ length: 1000 }, (_, i) => ({ ...finished, run: `${i}` }))
  expect(JSON.stringify(columnsOf(many)).length).toBeLessThan(0.6 * JSON.stringify(many).length)
})
