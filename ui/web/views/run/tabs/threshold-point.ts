import type { AttackCurve } from '../../../../../experiment/records/outcomes.ts'
import { significant } from '../../../../../report/format.ts'

/** The false-positive rate at a point of a curve. */
export function rateAt({ falsePositives, nonMembers }: AttackCurve, point: number): number {
  return (falsePositives[point] ?? 0) / nonMembers
}

/** The first point of a curve with at least this false-positive rate. */
export function pointAtRate({ falsePositives, nonMembers }: AttackCurve, rate: number): number {
  const found = falsePositives.findIndex((count) => count >= rate * nonMembers)
  return found === -1 ? falsePositives.length - 1 : found
}

/** The threshold of a point as text. The first point has none: no score is that high. */
export function thresholdText({ thresholds }: AttackCurve, point: number): string {
  const threshold = thresholds[point] ?? null
  return threshold === null ? 'above all scores' : significant(threshold)
}

/** A point of a curve in the address of the page: its rates, as `0.0125~0.34`. */
export function pointText(curve: AttackCurve, point: number): string {
  return [rateAt(curve, point), truePositiveRate(curve, point)].map(short).join('~')
}

/**
 * The point that an address names. Another curve has no such point: its first one with at least the
 * same false-positive rate stands for it. Undefined if the text names none.
 */
export function pointOf(curve: AttackCurve, text: string | undefined): number | undefined {
  const [falses = NaN, trues = NaN] = text?.includes('~') ? text.split('~').map(Number) : []
  if (!(falses >= 0 && falses <= 1)) return undefined
  const exact = curve.falsePositives.findIndex(
    (_, i) => short(rateAt(curve, i)) === short(falses) && short(truePositiveRate(curve, i)) === short(trues),
  )
  return exact === -1 ? pointAtRate(curve, falses) : exact
}

export function truePositiveRate({ truePositives, members }: AttackCurve, point: number): number {
  return (truePositives[point] ?? 0) / members
}

const short = (rate: number) => String(Number(rate.toPrecision(8)))
