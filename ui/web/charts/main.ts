import { parse, View } from 'vega'
import { expressionInterpreter } from 'vega-interpreter'
import { compile, type TopLevelSpec } from 'vega-lite'
import { chartDefaults } from '../../../report/charts/config.ts'

/**
 * The second script of the page: it draws charts. It is loaded when the first chart is shown. Vega
 * interprets the expressions of specifications, since the page's policy forbids `eval`.
 */

export interface DrawnChart {
  /** Removes the chart from the page. */
  remove(): void
}

export interface Charts {
  draw(box: HTMLElement, spec: TopLevelSpec): Promise<DrawnChart>
}

declare global {
  var zeroshiftCharts: Charts | undefined
}

async function draw(box: HTMLElement, spec: TopLevelSpec): Promise<DrawnChart> {
  const compiled = compile({ ...chartDefaults, ...spec })
  const runtime = parse(compiled.spec, undefined, { ast: true })
  const view = new View(runtime, { renderer: 'svg', expr: expressionInterpreter, hover: true })
  view.initialize(box)
  await view.runAsync()
  fit(box)
  return {
    remove() {
      view.finalize()
      box.replaceChildren()
    },
  }
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
