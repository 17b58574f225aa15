import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import { html, type Markup } from '../markup.ts'
import { notation } from './notation.ts'

/** What the columns of a table are. */
export function legend(names: readonly MetricName[]): Markup {
  return html`<dl class="legend">
    ${names.map((name) => {
      const { label, unit, about } = metricColumns[name]
      return html`<div>
        <dt>${notation(label)}</dt>
        <dd>${notation(about)}${unit && ` (${unit})`}</dd>
      </div>`
    })}
  </dl>`
}
