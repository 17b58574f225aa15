import { metricColumns, type MetricName } from '../../experiment/records/results.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { notation } from './notation.ts'

/** The head of a metric's column. */
export function metricHeading(name: MetricName): Markup {
  const { label, unit } = metricColumns[name]
  return html`<th scope="col" ${columnClass(name)}>
    ${notation(label)}${unit && html`<small>${unit}</small>`}
  </th>`
}

/** `faint`: in grey, since the figure says nothing. */
export function metricCell(name: MetricName, content: Content, faint = false): Markup {
  return html`<td${faint ? html` class="faint"` : columnClass(name)}>${content}</td>`
}

/** The mean of the gaps stands apart from what it is the mean of. */
function columnClass(name: MetricName): Content {
  return name === 'averageGap' && html` class="key split"`
}
