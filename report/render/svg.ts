import { View, parse } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { chartDefaults } from '../charts/config.ts'
import { Markup, escapeHtml } from './markup.ts'

/**
 * Draws a chart as an SVG that takes its colours from the page's CSS variables and loads nothing.
 * `id` makes the ids in it unique on the page. `description` is the text for screen readers.
 */
export async function renderChart(id: string, description: string, spec: TopLevelSpec): Promise<Markup> {
  const compiled = compile({ ...chartDefaults, ...spec })
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
