export interface Costed {
  readonly cost: number
  readonly gap: number
}

/** The Pareto front of (cost, gap), cheapest first. Equal points are all members. */
export function paretoFront<P extends Costed>(points: readonly P[]): readonly P[] {
  const sorted = [...points].sort((a, b) => a.cost - b.cost || a.gap - b.gap)
  let lowest: P | undefined
  return sorted.filter((point) => {
    const twin = lowest?.cost === point.cost && lowest.gap === point.gap
    if (lowest && point.gap >= lowest.gap && !twin) return false
    lowest = point
    return true
  })
}
