/** Scales, axes and colours that charts share. */

export const stepAxis = {
  field: 'step',
  type: 'quantitative',
  title: 'step',
  scale: { nice: false },
  axis: { tickCount: 4, format: 'd', tickMinStep: 1 },
} as const

/** Powers of ten around values above 0. */
function decades(values: readonly number[]): number[] {
  const first = Math.floor(Math.log10(Math.min(...values)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(...values))))
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i))
}

/** A logarithmic scale between powers of ten, with ticks at these. */
export function decadeScale(values: readonly number[]) {
  const all = decades(values)
  const domain: [number, number] = [Math.min(...all), Math.max(...all)]
  return { scale: { type: 'log' as const, domain, nice: false }, axis: { values: all } }
}

/** The axis of RTE. Its domain ends at powers of ten divided into `parts`, beyond `margins`. */
export function costAxis(costs: readonly number[], parts: number, margins: readonly [number, number]) {
  const low = 10 ** (Math.floor(Math.log10(Math.min(...costs) * margins[0]) * parts) / parts)
  const high = 10 ** (Math.ceil(Math.log10(Math.max(...costs) * margins[1]) * parts) / parts)
  const ticks = decades([low, high]).flatMap((power) => [power, 2 * power, 5 * power])
  return {
    type: 'quantitative' as const,
    title: 'wall time over that of retraining, RTE (log)',
    scale: { type: 'log' as const, domain: [low, high] as [number, number], nice: false },
    axis: {
      grid: true,
      values: ticks.filter((value) => value >= low && value <= high),
      format: '.4~g',
      labelOverlap: true,
    },
  }
}

/** A logarithmic scale of 1 + gap, which has a place for 0, with ticks at least 22 pixels apart. */
export function gapScale(gaps: readonly number[], height: number) {
  const highest = Math.max(...gaps, 0.1) * 1.1
  const place = (gap: number) => (height * Math.log1p(gap)) / Math.log1p(highest)
  const values: number[] = []
  for (const tick of [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]) {
    const last = values.at(-1)
    if (tick <= highest && (last === undefined || place(tick) - place(last) >= 22)) values.push(tick)
  }
  return {
    scale: { type: 'symlog' as const, constant: 1, domain: [0, highest], nice: false },
    axis: { values, format: '.4~g', minExtent: 30 },
  }
}

/** A dashed line at the floor, if there is one. `y` encodes gaps. */
export function floorRule(floor: number | undefined, y: object) {
  if (floor === undefined) return []
  return [
    {
      data: { values: [{ gap: floor }] },
      mark: { type: 'rule' as const, stroke: 'var(--gold)', strokeWidth: 1.5, strokeDash: [5, 4] },
      encoding: { y: { ...y, field: 'gap', type: 'quantitative' as const } },
    },
  ]
}
