import { digestOf } from '../../common/canonical.ts'
import type { Comparison } from '../../experiment/sweep/comparison.ts'
import { sortedJson, withoutTime } from '../json.ts'

/** `report.json`: the computed results, their digest, and apart the values of clocks and places. */
export function renderJson({ sweep, command, columns, runs, halving }: Comparison): {
  readonly json: string
  readonly digest: string
} {
  const computed = {
    ...(sweep !== undefined && { sweep }),
    columns,
    runs: runs.map(({ id, values, outcome }) => {
      if ('missing' in outcome) return { id, values, missing: outcome.missing }
      const { digest, rows, floor, failed } = outcome
      return { id, values, digest, results: rows.map(withoutTime), floor, failed }
    }),
    ...(halving && { halving }),
  }
  const digest = digestOf(computed)
  const clock = {
    command,
    runs: runs.map(({ id, command, link, outcome }) => ({
      id,
      command,
      ...(link !== undefined && { report: link }),
      ...('rows' in outcome && {
        seconds: outcome.seconds,
        rte: outcome.rows.map(({ label, metrics }) => ({ label, rte: metrics.rte })),
      }),
    })),
  }
  return { json: `${sortedJson({ computed, digest, clock })}\n`, digest }
}
