import type { TopLevelSpec } from 'vega-lite'
import type { AttackCurve } from '../../experiment/records/outcomes.ts'
import { decadeScale } from './scales.ts'

/** The curves of one model, one for each seed. */
export interface RocLine {
  readonly label: string
  /** A colour of the style sheet. */
  readonly colour: string
  readonly isGold: boolean
  readonly curves: readonly AttackCurve[]
}

/** Rates at a threshold. */
export interface RocPoint {
  readonly falsePositives: number
  readonly truePositives: number
}

/** Points of a drawn curve over the false-positive rates. */
const POINTS = 60

/**
 * ROC curves on logarithmic axes, with chance as a dotted line. Lines are means over the seeds. A
 * point can be marked.
 */
export function rocCurves(lines: readonly RocLine[], marked?: RocPoint): TopLevelSpec {
  const curves = lines.flatMap((line) => line.curves)
  const least = 1 / Math.max(...curves.map(({ nonMembers }) => nonMembers))
  const lowest = 1 / Math.max(...curves.map(({ members, nonMembers }) => Math.max(members, nonMembers)))
  const rates = Array.from({ length: POINTS }, (_, i) => least ** (1 - i / (POINTS - 1)))
  const values = lines.flatMap(({ label, curves }) =>
    rates.flatMap((falsePositives) => {
      const truePositives = meanTpr(curves, falsePositives)
      // A logarithmic axis has no place for 0.
      return truePositives > 0 ? [{ label, falsePositives, truePositives }] : []
    }),
  )
  const colour = {
    field: 'label',
    type: 'nominal' as const,
    scale: { domain: lines.map(({ label }) => label), range: lines.map(({ colour }) => `var(--${colour})`) },
    legend: null,
  }
  const scaled = (lower: number) => {
    const { scale, axis } = decadeScale([lower, 1])
    const values = axis.values.filter((value) => value >= lower)
    return { scale: { ...scale, domain: [lower, 1] }, axis: { values, format: '.4~g' } }
  }
  const x = { type: 'quantitative' as const, title: 'false-positive rate (log)', ...scaled(least) }
  const vertical = scaled(lowest)
  const y = {
    type: 'quantitative' as const,
    title: 'true-positive rate (log)',
    scale: vertical.scale,
    axis: { ...vertical.axis, minExtent: 32 },
  }
  const encoding = {
    x: { ...x, field: 'falsePositives' },
    y: { ...y, field: 'truePositives' },
    color: colour,
  }
  const gold = lines.filter(({ isGold }) => isGold).map(({ label }) => label)
  const dashes = { condition: { test: `indexof(${JSON.stringify(gold)}, datum.label) >= 0`, value: [5, 3] } }
  return {
    width: 236,
    height: 210,
    layer: [
      {
        data: { values: rates.map((rate) => ({ falsePositives: rate, truePositives: rate })) },
        mark: { type: 'line', stroke: 'var(--rule)', strokeWidth: 1.2, strokeDash: [2, 3], clip: true },
        encoding: { x: encoding.x, y: encoding.y },
      },
      {
        data: { values },
        mark: { type: 'line', strokeWidth: 1.6, clip: true },
        encoding: { ...encoding, strokeDash: { ...dashes, value: [1, 0] } },
      },
      ...(marked
        ? [
            {
              data: {
                values: [marked].filter((point) => point.falsePositives > 0 && point.truePositives > 0),
              },
              mark: { type: 'point' as const, filled: true, size: 90, color: 'var(--accent)', opacity: 1 },
              encoding: { x: encoding.x, y: encoding.y },
            },
          ]
        : []),
    ],
  }
}

/** The mean of the true-positive rates of curves at a false-positive rate. */
function meanTpr(curves: readonly AttackCurve[], rate: number): number {
  return curves.reduce((sum, curve) => sum + tprAt(curve, rate), 0) / curves.length
}

/** The true-positive rate on the straight lines between the points of a curve. */
function tprAt(curve: AttackCurve, rate: number): number {
  const { falsePositives, truePositives, members, nonMembers } = curve
  const count = rate * nonMembers + 1e-9
  const before = falsePositives.findLastIndex((falses) => falses <= count)
  const [from = 0, to = members] = [truePositives[before], truePositives[before + 1]]
  const [left = 0, right = nonMembers] = [falsePositives[before], falsePositives[before + 1]]
  const share = right > left ? Math.min(1, (count - left) / (right - left)) : 0
  return (from + share * (to - from)) / members
}
