import type { TopLevelSpec } from 'vega-lite'
import type { StageMetrics } from '../../experiment/stages/stage.ts'

type Confidence = StageMetrics['evaluate']['confidence']
const sets = ['retained', 'forget', 'test'] as const

/** Shares of the samples by confidence in the true class: bars for the model, a line for gold. */
export function confidenceHistograms(model: Confidence, gold: Confidence | undefined): TopLevelSpec {
  const values = sets.flatMap((set) => {
    const own = shares(model[set])
    const golden = gold && shares(gold[set])
    const bins = own.map((share, bin) => ({
      set,
      from: bin / own.length,
      to: (bin + 1) / own.length,
      share,
      gold: golden?.[bin] ?? null,
    }))
    // A line of steps goes up to its last point, so it needs one at the end of the last bin.
    return [...bins, { set, from: 1, to: 1, share: 0, gold: golden?.at(-1) ?? null }]
  })
  const x = {
    field: 'from',
    type: 'quantitative' as const,
    title: 'confidence in the true class',
    scale: { domain: [0, 1] },
    axis: { values: [0, 0.25, 0.5, 0.75, 1], format: '~g' },
  }
  const y = {
    type: 'quantitative' as const,
    title: null,
    scale: { domain: [0, 1] },
    axis: { values: [0, 0.5, 1], format: '.0%', minExtent: 32 },
  }
  const colours = { domain: [...sets], range: sets.map((set) => `var(--${set})`) }
  const header = { labelAngle: 0, labelAlign: 'left', labelPadding: 6, orient: 'left' } as const
  const line = { strokeWidth: 1.2, color: 'var(--ink)', strokeOpacity: 0.75 }
  return {
    data: { values },
    facet: { row: { field: 'set', type: 'nominal', sort: [...sets], title: null, header } },
    spacing: 10,
    spec: {
      width: 200,
      height: 46,
      layer: [
        {
          mark: { type: 'bar', binSpacing: 0.6 },
          encoding: {
            x: { ...x, bin: { binned: true, step: 0.05 } },
            x2: { field: 'to' },
            y: { ...y, field: 'share' },
            color: { field: 'set', type: 'nominal', scale: colours, legend: null },
          },
        },
        {
          transform: [{ filter: 'datum.gold !== null' }],
          mark: { type: 'line', interpolate: 'step-after', ...line },
          encoding: { x, y: { ...y, field: 'gold' } },
        },
      ],
    },
  }
}

function shares(counts: readonly number[]): readonly number[] {
  const total = counts.reduce((sum, count) => sum + count, 0)
  return counts.map((count) => (total > 0 ? count / total : 0))
}
