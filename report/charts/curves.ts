import type { TopLevelSpec } from 'vega-lite'
import type { CurvePoint } from '../../experiment/records/measured.ts'
import type { ResidualPoint } from '../../experiment/stages/unlearn.ts'
import { decadeScale, stepAxis } from './scales.ts'

/** Loss over steps of the models trained from scratch, in one plot. */
export function trainingCurves(
  models: readonly { readonly label: string; readonly curve: readonly CurvePoint[] }[],
): TopLevelSpec {
  const values = models.flatMap(({ label, curve }) => curve.map(({ step, loss }) => ({ label, step, loss })))
  const losses = values.map(({ loss }) => loss)
  const y = losses.every((loss) => loss > 0)
    ? { title: 'training loss (log)', ...decadeScale(losses) }
    : { title: 'training loss', scale: { zero: false }, axis: { tickCount: 5 } }
  const scale = {
    domain: models.map(({ label }) => label),
    range: models.map((_, i) => `var(--series-${i % 10})`),
  }
  return {
    width: 470,
    height: 220,
    data: { values },
    mark: { type: 'line', strokeWidth: 1.6, strokeOpacity: 0.9, clip: true },
    encoding: {
      x: { field: 'step', type: 'quantitative', title: 'step', axis: { tickCount: 6 } },
      y: { field: 'loss', type: 'quantitative', ...y },
      color: { field: 'label', type: 'nominal', scale, legend: { columns: 3 } },
    },
  }
}

/** Loss over steps of one method. The losses of methods differ in kind, so that each has a plot. */
export function methodCurve(curve: readonly CurvePoint[]): TopLevelSpec {
  const axis = { tickCount: 4, minExtent: 32 }
  return {
    width: 236,
    height: 120,
    data: { values: curve.map(({ step, loss }) => ({ step, loss })) },
    mark: {
      type: 'line',
      strokeWidth: 1.6,
      color: 'var(--accent)',
      point: curve.length < 12 && { size: 22, color: 'var(--accent)' },
    },
    encoding: {
      x: stepAxis,
      y: { field: 'loss', type: 'quantitative', title: 'loss', scale: { zero: false }, axis },
    },
  }
}

/** Residuals of residual feature alignment, on a logarithmic scale that all plots share. */
export function residualCurves(
  points: readonly ResidualPoint[],
  domain: readonly [number, number],
): TopLevelSpec {
  const values = points.flatMap(({ step, retained, forget }) => [
    { step, set: 'retained', value: retained },
    { step, set: 'forget', value: forget },
  ])
  const { scale, axis } = decadeScale(domain)
  const colours = { domain: ['retained', 'forget'], range: ['var(--retained)', 'var(--forget)'] }
  const y = { title: 'mean square (log)', scale, axis: { ...axis, minExtent: 32 } }
  return {
    width: 236,
    height: 150,
    // B = 0 makes the first retained residual 0, which no logarithmic scale shows.
    data: { values: values.filter(({ value }) => value > 0) },
    mark: { type: 'line', strokeWidth: 1.8, clip: true },
    encoding: {
      x: stepAxis,
      y: { field: 'value', type: 'quantitative', ...y },
      // The words above the plots name the colours.
      color: { field: 'set', type: 'nominal', scale: colours, legend: null },
    },
  }
}
