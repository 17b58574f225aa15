import type { MethodVerdict } from '../../experiment/records/results.ts'
import type { Criterion } from './criteria.ts'
import type { Judgement, Outcome } from './judge.ts'
import { criterionOf, excess } from './words.ts'

/** The tests of a run as a table, for every renderer. */
export interface JudgementTable {
  readonly columns: readonly Criterion[]
  readonly rows: readonly JudgementRow[]
}

export interface JudgementRow {
  readonly label: string
  readonly verdict: MethodVerdict
  readonly isAmongBest: boolean
  /** The distance beyond the floor in the worst criterion, in units of its δ. */
  readonly worst?: number
  /** One per column. */
  readonly cells: readonly JudgementCell[]
}

export type JudgementCell =
  | { readonly outcome: Outcome; readonly mean: string; readonly interval: string }
  | { readonly missing: string }

/** undefined: nothing was tested. */
export function judgementTable(judgement: Judgement): JudgementTable | undefined {
  const { methods, amongBest, criteria } = judgement
  if (methods.length === 0) return undefined
  const columns = criteria.flatMap(({ id, counts }) => (counts ? [criterionOf(id)] : []))
  return {
    columns,
    rows: methods.map(({ label, verdict, excess: worst, tests, missing }) => ({
      label,
      verdict,
      isAmongBest: amongBest.includes(label),
      ...(worst !== undefined && { worst }),
      cells: columns.map((criterion): JudgementCell => {
        const found = tests.find(({ id }) => id === criterion.id)
        if (!found)
          return { missing: missing.find(({ id }) => id === criterion.id)?.reason ?? 'it was not measured' }
        const { outcome, test } = found
        return {
          outcome,
          mean: excess(test.mean, criterion),
          interval: test.interval90.map((end) => excess(end, criterion)).join(' – '),
        }
      }),
    })),
  }
}

/** `δ = 5 points`. */
export function deltaOf({ delta, unit }: Criterion): string {
  const singular = delta === 1 ? unit.replace(/s$/, '') : unit
  return `δ = ${delta}${unit === '' ? '' : ` ${singular}`}`
}

/** Costs in retraining's time and distances in δ of the methods that have both. */
export function costed(
  judgement: Judgement,
  costs: readonly { readonly label: string; readonly rte: number | undefined }[],
): readonly { readonly label: string; readonly cost: number; readonly gap: number }[] {
  return judgement.methods.flatMap(({ label, excess }) => {
    const cost = costs.find((one) => one.label === label)?.rte
    return excess === undefined || cost === undefined ? [] : [{ label, cost, gap: excess }]
  })
}
