import type { Config, TopLevelSpec } from 'vega-lite'

/** The look of charts, which take their colours from the page's CSS variables. */
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

/** The parts that the specifications of charts leave to the renderers. */
export const chartDefaults: Pick<TopLevelSpec, 'config' | 'background' | 'padding'> = {
  config,
  background: 'transparent',
  padding: 2,
}
