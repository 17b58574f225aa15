import type { Cell, Column, Table } from '../blocks.ts'

export interface ModelColumn<R> extends Column {
  readonly of: (row: R) => Cell
}

/** A table with a row for each model. `id` starts the ids of its footnotes. */
export function modelTable<R extends { readonly label: string; readonly isFloor: boolean }>(
  name: string,
  id: string,
  rows: readonly R[],
  columns: readonly ModelColumn<R>[],
): Table {
  return {
    kind: 'table',
    name,
    id,
    columns: [{ label: 'Model' }, ...columns],
    rows: rows.map((row) => ({
      cells: [row.label, ...columns.map(({ of }) => of(row))],
      style: row.isFloor ? 'floor' : undefined,
    })),
  }
}
