import type { ComparedOutcome } from '../../experiment/sweep/comparison.ts'
import {
  metricColumns,
  type Figure,
  type MetricName,
  type ResultRow,
} from '../../experiment/records/results.ts'
import { notFinished } from '../input.ts'

/** The parts of a `report.json` (report/json.ts) that are read here. */
interface Written {
  readonly computed: {
    readonly results: readonly (Omit<ResultRow, 'metrics' | 'timesOverlapped'> & {
      readonly metrics: Readonly<Partial<Record<MetricName, Figure>>>
    })[]
    readonly floor: Figure
    readonly stages: readonly { readonly title: string; readonly missing?: string }[]
  }
  readonly digest: string
  readonly clock: {
    readonly rte: readonly (Pick<ResultRow, 'label' | 'timesOverlapped'> & { readonly rte: Figure })[]
    readonly stages: readonly { readonly seconds: number }[]
  }
}

/** Reads the parts of a run's `report.json` that comparisons show. Throws if it is incomplete. */
export function outcomeOf(json: string): ComparedOutcome {
  const { computed, digest, clock } = JSON.parse(json) as Written
  const times = new Map(clock.rte.map((one) => [one.label, one]))
  return {
    digest,
    rows: computed.results.map(({ metrics, ...row }) => {
      const { rte, timesOverlapped } = times.get(row.label) ?? {}
      return {
        ...row,
        metrics: withAll({ ...metrics, rte }),
        ...(timesOverlapped && { timesOverlapped }),
      }
    }),
    floor: computed.floor,
    seconds: clock.stages.reduce((sum, stage) => sum + stage.seconds, 0),
    // The others that are missing waited for these (report/results.ts).
    failed: computed.stages.flatMap(({ title, missing = notFinished(title) }) =>
      missing === notFinished(title) ? [] : [title],
    ),
  }
}

/** Adds the figures that reports of earlier versions lack, as missing. */
function withAll(metrics: Readonly<Partial<Record<MetricName, Figure | undefined>>>): ResultRow['metrics'] {
  const all = Object.keys(metricColumns) as MetricName[]
  return Object.fromEntries(
    all.map((name) => [
      name,
      metrics[name] ?? { missing: 'the report was written before there was this figure' },
    ]),
  ) as ResultRow['metrics']
}
