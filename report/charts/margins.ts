import type { TopLevelSpec } from 'vega-lite'

const BINS = 36

/** The range that histograms of margins share, and the number of their bins. */
export function marginRange(margins: readonly number[]): readonly [number, number] | undefined {
  if (margins.length === 0) return undefined
  const least = margins.reduce((a, b) => Math.min(a, b))
  const most = margins.reduce((a, b) => Math.max(a, b))
  return most > least ? [least, most] : [least - 1, least + 1]
}

/** Shares of the forget samples by margin: bars for the model, a line for gold. */
export function marginHistogram(
  own: readonly number[],
  gold: readonly number[],
  range: readonly [number, number],
): TopLevelSpec {
  const [low, high] = range
  const size = (high - low) / BINS
  const [bars, line] = [shares(own, range), shares(gold, range)]
  const bins = bars.map((share, bin) => ({
    from: low + bin * size,
    to: low + (bin + 1) * size,
    share,
    gold: gold.length > 0 ? (line[bin] ?? 0) : null,
  }))
  // A line of steps goes up to its last point, so it needs one at the end of the last bin.
  const values = [...bins, { from: high, to: high, share: 0, gold: bins.at(-1)?.gold ?? null }]
  const x = {
    field: 'from',
    type: 'quantitative' as const,
    title: 'margin φ, nats',
    scale: { domain: [low, high], nice: false },
    axis: { values: roundValues(range), format: '.4~g' },
  }
  const y = {
    type: 'quantitative' as const,
    title: null,
    axis: { tickCount: 3, format: '.0%', minExtent: 32 },
  }
  return {
    width: 236,
    height: 110,
    data: { values },
    layer: [
      {
        mark: { type: 'bar', binSpacing: 0.6, color: 'var(--forget)' },
        encoding: {
          x: { ...x, bin: { binned: true } },
          x2: { field: 'to' },
          y: { ...y, field: 'share' },
        },
      },
      {
        transform: [{ filter: 'datum.gold !== null' }],
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.2, color: 'var(--ink)' },
        encoding: { x, y: { ...y, field: 'gold' } },
      },
    ],
  }
}

function shares(margins: readonly number[], [low, high]: readonly [number, number]): readonly number[] {
  const counts = new Array<number>(BINS).fill(0)
  for (const margin of margins) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(((margin - low) / (high - low)) * BINS)))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return counts.map((count) => (margins.length > 0 ? count / margins.length : 0))
}

/** About five round numbers within a range. */
function roundValues([low, high]: readonly [number, number]): number[] {
  const rough = (high - low) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? rough
  const first = Math.ceil(low / step)
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(6)),
  )
}
