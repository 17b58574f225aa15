import type { TopLevelSpec } from 'vega-lite'

/** A point of a line: the accuracy in percent on training or on validation samples. */
export interface AccuracyValue {
  readonly model: string
  readonly samples: 'training' | 'validation'
  readonly epoch: number
  readonly accuracy: number
}

/** Accuracy over epochs: solid lines for training samples, dashed ones for validation samples. */
export function accuracyCurves(
  values: readonly AccuracyValue[],
  models: readonly { readonly label: string; readonly colour: string }[],
): TopLevelSpec {
  const scale = {
    domain: models.map(({ label }) => label),
    range: models.map(({ colour }) => `var(--${colour})`),
  }
  const dashes = { domain: ['training', 'validation'], range: [[], [5, 4]] }
  // Points show their values on the page. Many of them would only thicken the lines.
  const hasPoints = new Set(values.map(({ epoch }) => epoch)).size <= 60
  return {
    width: 470,
    height: 220,
    data: { values: [...values] },
    mark: {
      type: 'line',
      strokeWidth: 1.6,
      strokeOpacity: 0.9,
      clip: true,
      point: hasPoints && { size: 16 },
    },
    encoding: {
      x: {
        field: 'epoch',
        type: 'quantitative',
        title: 'epoch',
        scale: { nice: false, zero: false },
        axis: { tickCount: 6, tickMinStep: 1, format: '.4~g' },
      },
      y: {
        field: 'accuracy',
        type: 'quantitative',
        title: 'accuracy, %',
        scale: { zero: false },
        axis: { tickCount: 5, format: '.4~g' },
      },
      color: { field: 'model', type: 'nominal', scale, legend: { columns: 3, symbolType: 'stroke' } },
      // The words above the chart tell the lines apart.
      strokeDash: { field: 'samples', type: 'nominal', scale: dashes, legend: null },
    },
  }
}
