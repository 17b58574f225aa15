import { describe, expect, test } from 'vitest'
import { fullCell, type Table } from '../../../../../report/blocks.ts'
import { percent, signed, significant } from '../../../../../report/format.ts'
import {
  arrange,
  nextSort,
  numberIn,
  readTableView,
  shownTable,
  tableQuery,
  toggled,
  type TableView,
} from '../../../../../ui/web/document/table-view.ts'

const plain: TableView = {
  ...{ hiddenColumns: [], hiddenRows: [], pinnedColumns: [], pinnedRows: [] },
  isBeside: false,
}

const table: Table = {
  kind: 'table',
  name: 'Results',
  id: 'results',
  besideTitle: 'difference to gold',
  columns: [{ label: 'Model' }, { label: 'RA' }, { label: 'RTE' }, { label: 'RA', group: 'test' }],
  rows: [
    { cells: ['b', cell(98.123456, -0.5), '1,230', 'x'] },
    { cells: ['a', cell(98.121, 0.1), '1.23 × 10⁻⁷', 'z'] },
    { cells: ['c', { text: 'n/a', note: 'the set is empty' }, '−3.5', 'y'] },
    { cells: ['floor', cell(1, 2), '2', ''], style: 'floor' },
    { cells: ['sum', '–', '3', ''], style: 'total' },
  ],
}

function cell(value: number, difference: number) {
  return { text: percent(value), isNumber: true, exact: value, beside: signed(difference) }
}

const names = (rows: ReturnType<typeof arrange>['body']) => rows.map(({ key }) => key)

describe('the order of rows', () => {
  test('is by the exact figures, and cells without a figure come last in both orders', () => {
    const by = (isDescending: boolean) =>
      names(arrange(table, { ...plain, sort: { column: 'RA', isDescending } }).body)
    // Both show 98.12.
    expect(by(false)).toEqual(['a', 'b', 'c'])
    expect(by(true)).toEqual(['b', 'a', 'c'])
  })
  test('is by the numbers that texts stand for', () => {
    const sort = { column: 'RTE', isDescending: false }
    expect(names(arrange(table, { ...plain, sort }).body)).toEqual(['c', 'a', 'b'])
  })
  test('is by the distance to gold where differences are shown', () => {
    const sort = { column: 'RA', isDescending: false }
    expect(names(arrange(table, { ...plain, sort, isBeside: true }).body)).toEqual(['a', 'b', 'c'])
  })
  test('keeps the floor and the totals apart', () => {
    const { floor, total } = arrange(table, { ...plain, sort: { column: 'RA', isDescending: false } })
    expect([names(floor), names(total)]).toEqual([['floor'], ['sum']])
  })
  test('goes from ascending over descending back to the given order', () => {
    const once = nextSort(plain, 'RA')
    const twice = nextSort(once, 'RA')
    expect([once.sort, twice.sort, nextSort(twice, 'RA').sort]).toEqual([
      { column: 'RA', isDescending: false },
      { column: 'RA', isDescending: true },
      undefined,
    ])
    expect(nextSort(twice, 'RTE').sort).toEqual({ column: 'RTE', isDescending: false })
  })
})

describe('rows and columns', () => {
  test('are hidden, and columns of one label in two groups are told apart', () => {
    const view = { ...plain, hiddenColumns: ['test RA'], hiddenRows: ['a'] }
    const { columns, body } = arrange(table, view)
    expect(columns.map(({ key }) => key)).toEqual(['Model', 'RA', 'RTE'])
    expect(names(body)).toEqual(['b', 'c'])
  })
  test('that are pinned stand first', () => {
    const { columns, pinned, pinnedRows, body } = arrange(table, {
      ...plain,
      pinnedColumns: ['RTE'],
      pinnedRows: ['c', 'floor'],
    })
    expect([columns.map(({ key }) => key), pinned]).toEqual([['Model', 'RTE', 'RA', 'test RA'], 1])
    expect([names(pinnedRows), names(body)]).toEqual([
      ['c', 'floor'],
      ['b', 'a'],
    ])
  })
  test('of exports are those that are shown, with differences in place of figures if these are shown', () => {
    const shown = shownTable(table, { ...plain, hiddenRows: ['b', 'c', 'floor', 'sum'], isBeside: true })
    expect(shown.rows.map(({ cells }) => cells.map((one) => fullCell(one).text))).toEqual([
      ['a', '+0.10', '1.23 × 10⁻⁷', 'z'],
    ])
  })
})

test('a view survives its address', () => {
  const view: TableView = {
    sort: { column: 'Avg. gap', isDescending: true },
    ...{ hiddenColumns: ['a,b', '50%'], hiddenRows: ['rfa mean'], pinnedColumns: ['RA'], pinnedRows: [] },
    isBeside: true,
  }
  const query = Object.fromEntries(
    Object.entries(tableQuery('results', view)).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  )
  expect(readTableView(query, 'results')).toEqual(view)
  expect(readTableView(query, 'other')).toEqual(plain)
})

test('an item is added to a list or removed from it', () => {
  expect(toggled(['a'], 'b')).toEqual(['a', 'b'])
  expect(toggled(['a', 'b'], 'a')).toEqual(['b'])
})

test.each([0, 0.019, 1, 12.3, 1230, -4, 1.23e-7, -5.5e9, 98.12])('%f is read as it was written', (value) => {
  const expected = Number(value.toPrecision(3))
  expect(numberIn(significant(value))).toBeCloseTo(expected, 12)
})

test('words are no numbers', () => {
  for (const text of ['', 'rfa', '4 of 5', '2 min 5 s', '1.2.3']) expect(numberIn(text)).toBeUndefined()
})
