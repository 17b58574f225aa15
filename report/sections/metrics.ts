import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import type { Block, Column } from '../blocks.ts'

/** The column of a metric. The mean of the gaps stands apart from the figures it is the mean of. */
export function metricColumn(name: MetricName): Column {
  const { label, unit } = metricColumns[name]
  return { label, unit, ...(name === 'averageGap' && { key: true, split: true }) }
}

/** The meaning of each metric. */
export function metricLegend(names: readonly MetricName[]): Block {
  const items = names.map((name) => {
    const { label, unit, about } = metricColumns[name]
    return { term: label, unit, text: about }
  })
  return { kind: 'terms', style: 'legend', items }
}
