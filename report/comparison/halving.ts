import type { ComparedHalving, HalvingDecision } from '../../experiment/sweep/comparison.ts'
import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import { figure, grouped, significant } from '../format.ts'

/** What early stopping did at one rung. */
export interface Rung {
  /** From 0. */
  readonly rung: number
  /** What the runs had been given. */
  readonly resource: number
  readonly judged: number
  readonly promoted: number
  readonly stopped: number
  readonly ended: number
  /** Of those judged: without a figure to be judged by. */
  readonly missing: number
  /** Of the metric: the best, the worst that went on and the best that was stopped. */
  readonly best?: number
  readonly lastPromoted?: number
  readonly firstStopped?: number
}

export function rungsOf({ rungs, decisions }: ComparedHalving): readonly Rung[] {
  return rungs.map((resource, rung) => {
    const here = decisions.filter((decision) => decision.rung === rung)
    const of = (kind: HalvingDecision['decision']) => here.filter(({ decision }) => decision === kind)
    const figures = (some: readonly HalvingDecision[]) =>
      some.flatMap(({ metric }) => ('value' in metric ? [metric.value] : []))
    const all = figures(here)
    const promoted = figures(of('promoted'))
    const stopped = figures(of('stopped'))
    return {
      rung,
      resource,
      judged: here.length,
      promoted: of('promoted').length,
      stopped: of('stopped').length,
      ended: of('ended').length,
      missing: here.length - all.length,
      ...(all.length > 0 && { best: Math.min(...all) }),
      ...(promoted.length > 0 && { lastPromoted: Math.max(...promoted) }),
      ...(stopped.length > 0 && { firstStopped: Math.min(...stopped) }),
    }
  })
}

/** A decision as tables say it. */
export const decisionWords = {
  promoted: 'went on',
  stopped: 'stopped',
  ended: 'at the end',
} as const satisfies Record<HalvingDecision['decision'], string>

/** What runs were judged by, and how its figures are written. */
export function whatHalves({ metric, factor, resource, rungs }: ComparedHalving): {
  readonly words: string
  readonly label: string
  readonly write: (value: number) => string
} {
  const name = (Object.keys(metricColumns) as MetricName[]).find((known) => known === metric)
  const label = name ? metricColumns[name].label : metric
  return {
    label,
    write: name ? (value) => figure(name, value) : significant,
    words: `Runs were given ${resource} ${rungs.join(', ')}. At each rung but the last, the best 1 in ${factor} by ${label} went on (lower is better); the others were stopped.`,
  }
}

export function rungHeads(halving: ComparedHalving): readonly string[] {
  const { label } = whatHalves(halving)
  return [
    'Rung',
    halving.resource,
    'Judged',
    'Went on',
    'Stopped',
    'At the end',
    'Without a figure',
    `Best ${label}`,
    'Worst that went on',
    'Best that was stopped',
  ]
}

/** A rung's cells under `rungHeads`. */
export function rungTexts(halving: ComparedHalving, rung: Rung): readonly string[] {
  const { write } = whatHalves(halving)
  const figureText = (value: number | undefined) => (value === undefined ? '–' : write(value))
  return [
    String(rung.rung + 1),
    String(rung.resource),
    ...[rung.judged, rung.promoted, rung.stopped, rung.ended, rung.missing].map(grouped),
    ...[rung.best, rung.lastPromoted, rung.firstStopped].map(figureText),
  ]
}
