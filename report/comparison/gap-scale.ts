/** The logarithm of 1 + gap, so that 0 has a place, with ticks that are far enough apart. */
export function gapScale(gaps: readonly number[], height: number) {
  const highest = Math.max(...gaps, 0.1) * 1.1
  const place = (gap: number) => (height * Math.log1p(gap)) / Math.log1p(highest)
  const values: number[] = []
  for (const tick of candidates) {
    if (tick > highest) break
    const last = values.at(-1)
    if (last === undefined || place(tick) - place(last) >= 22) values.push(tick)
  }
  return {
    scale: { type: 'symlog' as const, constant: 1, domain: [0, highest], nice: false },
    axis: { values, format: '.4~g', minExtent: 30 },
  }
}

const candidates = [0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

/** Colours of lines: those of the page without its grey and its gold. */
export function lineColour(i: number): string {
  return `var(--series-${2 + (i % 8)})`
}

/** The dashed line of the floor, if there is one. */
export function floorRule(floor: number | undefined, y: object) {
  return floor === undefined
    ? []
    : [
        {
          data: { values: [{ gap: floor }] },
          mark: { type: 'rule' as const, stroke: 'var(--gold)', strokeWidth: 1.5, strokeDash: [5, 4] },
          encoding: { y: { ...y, field: 'gap', type: 'quantitative' as const } },
        },
      ]
}
