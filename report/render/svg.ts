import { View, parse } from 'vega'
import { compile, type Config, type TopLevelSpec } from 'vega-lite'
import { Markup, escapeHtml } from './markup.ts'

/**
 * Draws a chart as an SVG that takes its colours from the page's CSS variables and loads nothing.
 * `id` makes the ids in it unique on the page. `description` is the text for screen readers.
 */
export async function renderChart(id: string, description: string, spec: TopLevelSpec): Promise<Markup> {
  const compiled = compile({ config, background: 'transparent', padding: 2, ...spec })
  const svg = await new View(parse(compiled.spec), { renderer: 'none' }).toSVG()
  const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? []
  const label = escapeHtml(description)
  return new Markup(
    withOwnIds(withShortNumbers(svg), id).replace(
      /^<svg[^>]*>/,
      `<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" style="max-width:${width}px"><title>${label}</title>`,
    ),
  )
}

/** Vega counts the ids of clip paths and gradients over the life of the process. */
function withOwnIds(svg: string, chart: string): string {
  const ids = [...svg.matchAll(/ id="([^"]+)"/g)].flatMap(([, id]) => id ?? [])
  return ids.reduce(
    (text, id, i) =>
      text.replaceAll(`"${id}"`, `"${chart}-${i}"`).replaceAll(`url(#${id})`, `url(#${chart}-${i})`),
    svg,
  )
}

/** A hundredth of a pixel is enough. */
function withShortNumbers(svg: string): string {
  return svg.replace(/ (?:d|transform|x|y|x1|x2|y1|y2|width|height)="[^"]*"/g, (attribute) =>
    attribute.replace(/-?\d+\.\d{3,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(2)))),
  )
}

const config: Config = {
  aria: false,
  font: 'inherit',
  view: { stroke: null },
  axis: {
    domainColor: 'var(--rule)',
    gridColor: 'var(--grid)',
    tickColor: 'var(--rule)',
    labelColor: 'var(--muted)',
    titleColor: 'var(--muted)',
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelPadding: 5,
    tickSize: 4,
  },
  axisX: { grid: false },
  axisY: { domain: false, ticks: false },
  legend: {
    orient: 'top',
    title: null,
    labelColor: 'var(--ink)',
    labelFontSize: 11.5,
    symbolStrokeWidth: 2.5,
    symbolSize: 120,
    offset: 6,
    labelLimit: 260,
  },
  header: { labelColor: 'var(--muted)', labelFontSize: 11, title: null },
}
