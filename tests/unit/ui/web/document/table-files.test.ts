import { expect, test } from 'vitest'
import type { Table } from '../../../../../report/blocks.ts'
import { cellDetails, tableCsv, tableLatex } from '../../../../../ui/web/document/table-files.ts'

const table: Table = {
  kind: 'table',
  name: 'Results',
  id: 'results',
  besideTitle: 'difference to gold',
  columns: [{ label: 'Model' }, { label: 'RA', unit: '%' }],
  rows: [
    {
      cells: [
        'rfa, mean',
        { text: '98.41', isNumber: true, exact: 98.40625, interval: '± 0.56', beside: '−1.59' },
      ],
    },
    { cells: ['scrub', { text: 'n/a', note: 'the loss is not finite' }] },
  ],
}

test('CSV has the exact figures, and columns for intervals and differences', () => {
  expect(tableCsv(table)).toBe(
    'Model,RA (%),RA (%) interval,RA (%) difference to gold\r\n"rfa, mean",98.40625,± 0.56,−1.59\r\nscrub,n/a,,\r\n',
  )
})

test('LaTeX has the figures as shown with their intervals, and the reasons as footnotes', () => {
  const text = tableLatex(table)
  expect(text).toContain('rfa, mean & $98.41 \\pm 0.56$ \\\\')
  expect(text).toContain('the loss is not finite')
})

test('the details of a cell are what its text leaves out', () => {
  const [figure, missing] = table.rows.map(({ cells }) => cells[1] ?? '')
  expect(cellDetails(figure ?? '')).toEqual(['exactly 98.40625', '95% interval ± 0.56'])
  expect(cellDetails(missing ?? '')).toEqual(['the loss is not finite'])
  expect(cellDetails('plain')).toEqual([])
})
