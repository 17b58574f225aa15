import type { SampleTable } from '../../../../contract.ts'

/** Which samples are listed, and in which order. */
export interface SampleChoice {
  /** An index into the sets of the table, or −1 for all. */
  readonly set: number
  /** The number of a class, or −1 for all. */
  readonly label: number
  /** The rows of `models` whose confidences are compared. */
  readonly from: number
  readonly to: number
}

/** The rows of the table that are listed: those whose confidence has changed most come first. */
export function orderedSamples(table: SampleTable, { set, label, from, to }: SampleChoice): Int32Array {
  const rows: number[] = []
  table.set.forEach((own, row) => {
    if ((set === -1 || own === set) && (label === -1 || table.label[row] === label)) rows.push(row)
  })
  const before = table.models[from]?.confidence ?? []
  const after = table.models[to]?.confidence ?? []
  const changes = Float64Array.from(table.set, (_, row) => Math.abs((after[row] ?? 0) - (before[row] ?? 0)))
  return Int32Array.from(rows).sort((a, b) => (changes[b] ?? 0) - (changes[a] ?? 0) || a - b)
}
