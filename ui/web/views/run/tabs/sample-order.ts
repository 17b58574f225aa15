import type { SampleTable } from '../../../../contract.ts'

/** The orders of samples, with their titles. */
export const sampleOrders = {
  change: 'largest difference',
  lowest: 'lowest in the second model',
  number: 'lowest number',
} as const
export type SampleOrder = keyof typeof sampleOrders

/** Which samples are listed, and in which order. */
export interface SampleChoice {
  /** An index into the sets of the table, or −1 for all. */
  readonly set: number
  /** The number of a class, or −1 for all. */
  readonly label: number
  /** The rows of `models` whose confidences are compared. */
  readonly from: number
  readonly to: number
  readonly by: SampleOrder
}

/** The rows of the table that are listed, sorted. Equal ones keep the order of the table. */
export function orderedSamples(table: SampleTable, { set, label, from, to, by }: SampleChoice): Int32Array {
  const rows: number[] = []
  table.set.forEach((own, row) => {
    if ((set === -1 || own === set) && (label === -1 || table.label[row] === label)) rows.push(row)
  })
  const places = placesOf(table, { from, to, by })
  return Int32Array.from(rows).sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0) || a - b)
}

/** A number of each row of the table. Low ones come first. */
function placesOf(table: SampleTable, { from, to, by }: Pick<SampleChoice, 'from' | 'to' | 'by'>) {
  if (by === 'number') return Float64Array.from(table.number)
  const before = table.models[from]?.confidence ?? []
  const after = table.models[to]?.confidence ?? []
  if (by === 'lowest') return Float64Array.from(after)
  return Float64Array.from(table.set, (_, row) => -Math.abs((after[row] ?? 0) - (before[row] ?? 0)))
}
