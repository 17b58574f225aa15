import { parse, View } from 'vega'
import { expressionInterpreter } from 'vega-interpreter'
import { compile, type TopLevelSpec } from 'vega-lite'
import { chartDefaults } from '../../../report/charts/config.ts'
import { currentColours } from '../drawing/current-colours.ts'
import { FONT } from '../drawing/surface.ts'
import { chartTooltip } from './tooltip.ts'

/**
 * The second script of the page: it draws charts. It is loaded when the first chart is shown. Vega
 * interprets the expressions of specifications, since the page's policy forbids `eval`.
 */

export interface DrawnChart {
  /** Removes the chart from the page. */
  remove(): void
  /** The chart as the text of an SVG with the colours of the present theme. */
  svg(): Promise<string>
  /** The chart as an image with the colours of the present theme, of twice its size. */
  canvas(): Promise<HTMLCanvasElement>
}

export interface Charts {
  draw(box: HTMLElement, spec: TopLevelSpec): Promise<DrawnChart>
}

declare global {
  var zeroshiftCharts: Charts | undefined
}

async function draw(box: HTMLElement, spec: TopLevelSpec): Promise<DrawnChart> {
  const view = viewOf(withTooltips(spec), 'svg')
  const tooltip = chartTooltip()
  view.tooltip(tooltip.show)
  const described = ['role', 'aria-label'].map((name) => [name, box.getAttribute(name)] as const)
  view.initialize(box)
  // Vega gives the box a role and the label "Vega visualization" in place of its description.
  box.removeAttribute('aria-roledescription')
  for (const [name, value] of described) if (value !== null) box.setAttribute(name, value)
  await view.runAsync()
  fit(box)
  return {
    remove() {
      tooltip.remove()
      view.finalize()
      box.replaceChildren()
    },
    svg: async () => (await viewOf(withColours(spec), 'none').toSVG()).replaceAll('"inherit"', `"${FONT}"`),
    canvas: async () => viewOf(withColours(spec), 'none').toCanvas(2),
  }
}

function viewOf(spec: TopLevelSpec, renderer: 'svg' | 'none'): View {
  const { spec: compiled } = compile({ ...chartDefaults, ...spec })
  return new View(parse(compiled, undefined, { ast: true }), {
    renderer,
    expr: expressionInterpreter,
    hover: true,
  })
}

/**
 * Lets every mark tell the values that it encodes. Marks have no names for screen readers: the box
 * of the chart is an image with a description.
 */
function withTooltips(spec: TopLevelSpec): TopLevelSpec {
  const { config } = chartDefaults
  return { config: { ...config, mark: { ...config?.mark, tooltip: true, aria: false } }, ...spec }
}

/** Replaces CSS variables by the colours of the page, since files have no style sheet. */
function withColours(spec: TopLevelSpec): TopLevelSpec {
  const colours: Readonly<Record<string, string>> = currentColours()
  const whole = { ...chartDefaults, ...spec, background: colours.page ?? 'white' }
  const text = JSON.stringify(whole).replaceAll(
    /var\(--([a-z0-9-]+)\)/g,
    (variable, name: string) => colours[name] ?? variable,
  )
  return JSON.parse(text) as TopLevelSpec
}

/** Lets the chart shrink with the page. */
function fit(box: HTMLElement): void {
  const svg = box.querySelector('svg')
  if (!svg) return
  const [width, height] = ['width', 'height'].map((name) => svg.getAttribute(name) ?? '0')
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`)
  svg.style.maxWidth = `${width}px`
  svg.removeAttribute('width')
  svg.removeAttribute('height')
  svg.classList.add('chart')
}

globalThis.zeroshiftCharts = { draw }
