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
