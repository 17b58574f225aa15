import { describe, expect, test } from 'vitest'
import type { SweepCell } from '../../../../../ui/contract.ts'
import {
  axesOf,
  brushOfValue,
  brushQuery,
  dependentPoints,
  heatCells,
  isWithin,
  pointsOf,
  readBrushes,
  sampled,
  sortedPoints,
  valuesWithin,
  type Axis,
} from '../../../../../ui/web/views/sweep/points.ts'

function cell(run: string, values: Readonly<Record<string, string>>, ...gaps: readonly number[]): SweepCell {
  return {
    ...{ run, values, state: gaps.length > 0 ? 'completed' : 'waiting' },
    rows: gaps.map((gap, i) => ({ label: `m${i}`, gap, rte: 0.1 * (i + 1) })),
  }
}

const cells = [
  cell('1', { rank: '1', rate: '0.001', kind: 'x', same: 'a' }, 5, 2),
  cell('2', { rank: '4', rate: '0.1', kind: 'y', same: 'a' }, 1),
  cell('3', { rank: '16', rate: '0.01', kind: 'x', same: 'a' }, 9),
  cell('4', { rank: '16', rate: '0.1', kind: 'y', same: 'a' }),
]
const points = pointsOf(cells)
const axes = axesOf(points, ['rank', 'rate', 'kind', 'same'])
const axis = (name: string): Axis =>
  axes.find(({ key }) => key === name) ?? expect.unreachable(`no axis is called ${name}`)

describe('axes', () => {
  test('are those that vary', () => {
    expect(axes.map(({ key }) => key)).toEqual(['rank', 'rate', 'kind', 'method', 'gap', 'rte'])
  })
  test('place numbers in their order, by logarithms if they are far apart', () => {
    expect(axis('rank').values?.map(({ text }) => text)).toEqual(['1', '4', '16'])
    expect(axis('rank').values?.[1]?.at).toBeCloseTo(0.5, 12)
    expect(axis('rate').values?.map(({ text }) => text)).toEqual(['0.001', '0.01', '0.1'])
  })
  test('place words in the order of the cells', () => {
    expect(axis('kind').values).toEqual([
      { at: 0, text: 'x' },
      { at: 1, text: 'y' },
    ])
  })
  test('give a cell without results no place for its gap', () => {
    expect(points.map((point) => axis('gap').place(point) === undefined)).toEqual([
      ...[false, false, false, false],
      true,
    ])
  })
})

describe('ranges', () => {
  const within = (brushes: Parameters<typeof isWithin>[2]) =>
    points.filter((point) => isWithin(point, axes, brushes)).map(({ cell: { run } }) => run)
  test('choose the points that are in all of them', () => {
    expect(within({})).toEqual(['1', '1', '2', '3', '4'])
    expect(within({ rank: [0.4, 1] })).toEqual(['2', '3', '4'])
    expect(within({ rank: [0.4, 1], gap: [0, 0.5] })).toEqual(['2'])
  })
  test('of one value contain that value alone, and survive the address', () => {
    for (const value of axis('rank').values ?? []) {
      const brushes = { rank: brushOfValue(axis('rank'), value.at) }
      expect(valuesWithin(axis('rank'), brushes.rank)).toEqual([value])
      const query = brushQuery({ kind: [0, 1] }, brushes)
      expect(query['brush.kind']).toBeUndefined()
      const read = readBrushes({ 'brush.rank': query['brush.rank'] ?? '', sort: 'gap' })
      expect(within(read)).toEqual(
        points.filter(({ cell }) => cell.values.rank === value.text).map(({ cell }) => cell.run),
      )
    }
  })
  test('that someone typed wrongly are left out', () => {
    expect(readBrushes({ 'brush.a': '1~0', 'brush.b': 'x', 'brush.c': '0.1~0.2' })).toEqual({ c: [0.1, 0.2] })
  })
})

test('a heat map has the lowest gap for each pair of values', () => {
  const map = heatCells(points, axis('kind'), axis('rank'))
  expect(map.map(({ across, up, gap, count }) => [across, up, gap, count])).toEqual([
    ['x', '1', 2, 2],
    ['y', '4', 1, 1],
    ['x', '16', 9, 1],
  ])
})

test('the board is sorted, and results without a value come last in both orders', () => {
  const order = (sort?: string) =>
    sortedPoints(points, axes, sort).map(({ cell: { run }, gap }) => `${run} ${gap}`)
  expect(order('gap')).toEqual(['2 1', '1 2', '1 5', '3 9', '4 undefined'])
  expect(order('-gap')).toEqual(['3 9', '1 5', '1 2', '2 1', '4 undefined'])
  expect(order('-number')[0]).toBe('4 undefined')
  expect(order()).toEqual(['1 5', '1 2', '2 1', '3 9', '4 undefined'])
})

test('a sample of many items is even and has no item twice', () => {
  const items = Array.from({ length: 5000 }, (_, i) => i)
  const some = sampled(items, 800)
  expect(some.length).toBe(800)
  expect(new Set(some).size).toBe(800)
  const steps = some.slice(1).map((item, i) => item - (some[i] ?? 0))
  expect([Math.min(...steps), Math.max(...steps)]).toEqual([6, 7])
  expect(sampled([1, 2], 2)).toEqual([1, 2])
})

test('the heat map leaves out methods whose gap is the same in all cells, unless all are such', () => {
  const rows = pointsOf([
    cell('1', { rank: '1' }, 3, 8),
    cell('2', { rank: '2' }, 3, 5),
    cell('3', { rank: '3' }),
  ])
  expect(dependentPoints(rows).map(({ label, gap }) => [label, gap])).toEqual([
    ['m1', 8],
    ['m1', 5],
  ])
  const constant = rows.filter(({ label }) => label === 'm0')
  expect(dependentPoints(constant)).toEqual(constant)
})
