import type { AttackCurve } from '../../experiment/records/outcomes.ts'
import { auc } from '../population/roc.ts'

/** The largest number of points of a curve. */
export const MOST_POINTS = 200

/** The counts of false and of true positives of a threshold. */
interface Point {
  readonly falsePositives: number
  readonly truePositives: number
  /** The score at or above which a sample counts as a member; null if no sample does. */
  readonly threshold: number | null
}

/**
 * The receiver operating characteristic of scores that are high for members. A point has a
 * threshold that is a score of some sample, so that ties are one step. Points in the middle of a
 * straight line are left out, and then those that a plot with a linear or a logarithmic axis would
 * not show.
 */
export function rocCurve(
  members: Float64Array,
  nonMembers: Float64Array,
  most = MOST_POINTS,
): AttackCurve | { readonly missing: string } {
  const area = auc(members, nonMembers)
  if ('missing' in area) return area
  const points = thinned(corners(staircase(members, nonMembers)), nonMembers.length, members.length, most)
  return {
    members: members.length,
    nonMembers: nonMembers.length,
    falsePositives: points.map(({ falsePositives }) => falsePositives),
    truePositives: points.map(({ truePositives }) => truePositives),
    thresholds: points.map(({ threshold }) => (threshold === null ? null : Number(threshold.toPrecision(6)))),
    auc: area.value,
    ...(area.interval && { interval: area.interval }),
  }
}

/** One point for each distinct score, from the highest down, after the point (0, 0). */
function staircase(members: Float64Array, nonMembers: Float64Array): readonly Point[] {
  const inside = members.toSorted().reverse()
  const outside = nonMembers.toSorted().reverse()
  const points: Point[] = [{ falsePositives: 0, truePositives: 0, threshold: null }]
  let [trues, falses] = [0, 0]
  while (trues < inside.length || falses < outside.length) {
    const threshold = Math.max(inside[trues] ?? -Infinity, outside[falses] ?? -Infinity)
    while (inside[trues] === threshold) trues++
    while (outside[falses] === threshold) falses++
    points.push({ falsePositives: falses, truePositives: trues, threshold })
  }
  return points
}

/** Leaves out the points between two others on a vertical or a horizontal line. */
function corners(points: readonly Point[]): readonly Point[] {
  return points.filter((point, i) => {
    const [before, after] = [points[i - 1], points[i + 1]]
    if (!before || !after) return true
    const isVertical =
      before.falsePositives === point.falsePositives && point.falsePositives === after.falsePositives
    const isHorizontal =
      before.truePositives === point.truePositives && point.truePositives === after.truePositives
    return !isVertical && !isHorizontal
  })
}

/**
 * At most `most` points, the first and the last among them. Points are kept where the curve has
 * advanced by a step of equal size: half of the way is that on linear axes and half of it that of
 * the false-positive rate on a logarithmic axis.
 */
function thinned(
  points: readonly Point[],
  nonMembers: number,
  members: number,
  most: number,
): readonly Point[] {
  if (points.length <= most) return points
  const advance = ({ falsePositives, truePositives }: Point) =>
    (falsePositives / nonMembers + truePositives / members) / 4 +
    Math.log1p(falsePositives) / Math.log1p(nonMembers) / 2
  let next = 0
  return points.filter((point, i) => {
    if (i === points.length - 1) return true
    const step = Math.floor(advance(point) * (most - 1))
    if (step < next) return false
    next = step + 1
    return true
  })
}
