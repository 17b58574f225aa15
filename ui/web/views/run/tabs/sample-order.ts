import type { SampleScores, SampleTable } from '../../../../contract.ts'
import { sortedRows } from './sorted-rows.ts'

/** The orders of samples, with their titles. */
export const sampleOrders = {
  change: 'largest difference',
  lowest: 'lowest in the second model',
  highest: 'highest in the second model',
  number: 'lowest number',
} as const
export type SampleOrder = keyof typeof sampleOrders

/** A figure of each sample under each model of a table. NaN: the sample has none. */
export interface SampleFigures {
  /** By model, and in it by row. */
  readonly values: readonly Float64Array[]
  /** Whether these are probabilities, and no scores of an attack. */
  readonly areShares: boolean
  /** The ends of the scale on which they are drawn. */
  readonly range: readonly [low: number, high: number]
}

/** The probabilities of the true class. */
export function confidenceFigures({ models }: SampleTable): SampleFigures {
  return {
    values: models.map(({ confidence }) => new Float64Array(confidence)),
    areShares: true,
    range: [0, 1],
  }
}

/** The scores of an attack. A model without scores has none for any sample. */
export function scoreFigures({ models, number }: SampleTable, scores: SampleScores): SampleFigures {
  let [low, high] = [Infinity, -Infinity]
  const values = models.map(({ label }) => {
    const own = scores.models.find((one) => one.label === label)?.scores ?? []
    const column = new Float64Array(number.length).fill(NaN)
    own.forEach((score, row) => {
      if (score === null) return
      column[row] = score
      if (score < low) low = score
      if (score > high) high = score
    })
    return column
  })
  return { values, areShares: false, range: low < high ? [low, high] : [0, 1] }
}

/** The models that are compared, as rows of `models`, and the order of the samples. */
export interface SampleSort {
  readonly from: number
  readonly to: number
  readonly by: SampleOrder
}

/** All rows of a table in an order. Equal ones keep the order of the table, as do those without. */
export function sortedSamples(
  { number }: SampleTable,
  { values }: SampleFigures,
  { from, to, by }: SampleSort,
): Int32Array {
  if (by === 'number') return sortedRows(new Float64Array(number))
  const none = new Float64Array(number.length).fill(NaN)
  const [before, after] = [values[from] ?? none, values[to] ?? none]
  switch (by) {
    case 'lowest':
      return sortedRows(after)
    case 'highest':
      return sortedRows(after.map((value) => -value))
    case 'change':
      return sortedRows(after.map((value, row) => -Math.abs(value - (before[row] ?? NaN))))
  }
}

/** Which samples are listed. */
export interface SampleFilter {
  /** An index into the sets of the table, or −1 for all. */
  readonly set: number
  /** The number of a class, or −1 for all. */
  readonly label: number
}

/** The rows of a set and a class, in the same order. */
export function filteredSamples(
  table: SampleTable,
  rows: Int32Array,
  { set, label }: SampleFilter,
): Int32Array {
  return rows.filter(
    (row) => (set === -1 || table.set[row] === set) && (label === -1 || table.label[row] === label),
  )
}
