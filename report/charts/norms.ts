import type { TopLevelSpec } from 'vega-lite'
import { textLayers } from './classes.ts'
import type { ResidualNorms } from '../../experiment/stages/unlearn.ts'

const sets = ['retained', 'forget'] as const
const WIDTH = 150

/** The most steps that are drawn, so that a page of many charts stays small. */
export const mostSteps = 60

/**
 * Norms of the residual by layer (up) and step (across), on either set: the stronger, the greater.
 * `most` is the norm of the strongest cell. Of more than `mostSteps` steps, some are left out.
 */
export function normHeat({ layers, points }: ResidualNorms, most: number): TopLevelSpec {
  const stride = Math.ceil(points.length / mostSteps)
  const drawn = points.filter((_, i) => (points.length - 1 - i) % stride === 0)
  const values = drawn.flatMap((point) =>
    layers.flatMap((layer, i) =>
      sets.map((set) => {
        const norm = point[set][i] ?? NaN
        const shade = most > 0 ? 0.04 + 0.96 * Math.sqrt(norm / most) : 0.04
        return { set, layer, step: point.step, norm, shade, text: norm.toFixed(2) }
      }),
    ),
  )
  const row = Math.max(4, Math.min(18, 560 / layers.length))
  const column = WIDTH / drawn.length
  const axis = { ticks: false, domain: false, labelOverlap: true } as const
  const x = {
    field: 'step',
    type: 'ordinal' as const,
    title: 'step',
    axis: { ...axis, labelAngle: 0 },
  }
  const y = {
    field: 'layer',
    type: 'nominal' as const,
    title: null,
    scale: { domain: [...layers] },
    axis: { ...axis, labelLimit: 160 },
  }
  const tooltip = ['set', 'layer', 'step', 'norm'].map((field) => ({ field, type: 'nominal' as const }))
  return {
    data: { values },
    facet: { column: { field: 'set', type: 'nominal', sort: [...sets], title: null } },
    spacing: 14,
    spec: {
      width: WIDTH,
      height: row * layers.length,
      layer: [
        {
          mark: {
            type: 'rect',
            fill: 'var(--accent)',
            ...(Math.min(row, column) >= 10 && { stroke: 'var(--page)' }),
          },
          encoding: {
            ...{ x, y, tooltip },
            opacity: { field: 'shade', type: 'quantitative', scale: null, legend: null },
          },
        },
        // Numbers would not fit into smaller cells.
        ...(column >= 28 && row >= 14 ? textLayers({ x, y, tooltip }, 10) : []),
      ],
    },
  }
}
