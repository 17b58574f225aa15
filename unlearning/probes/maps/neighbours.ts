import type { YieldControl } from '../../yield-control.ts'

/** The nearest points of each point, itself first, then by distance and by index. */
export interface Neighbours {
  readonly indices: readonly (readonly number[])[]
  /** Euclidean. */
  readonly distances: readonly (readonly number[])[]
}

/** Points between which control is yielded. */
const CHUNK = 32

/** The `count` nearest points of each point, by the distances of all pairs. */
export async function nearestNeighbours(
  points: readonly (readonly number[])[],
  count: number,
  pause?: YieldControl,
): Promise<Neighbours> {
  const rows = points.map((point) => Float64Array.from(point))
  const indices: number[][] = []
  const distances: number[][] = []
  for (const [i, own] of rows.entries()) {
    if (i % CHUNK === 0) await pause?.()
    const squares = rows.map((other) => squaredDistance(own, other))
    // A point precedes others at the same place.
    squares[i] = -1
    const at = (j: number) => squares[j] ?? 0
    const nearest = squares
      .map((_, j) => j)
      .sort((a, b) => at(a) - at(b) || a - b)
      .slice(0, count)
    indices.push(nearest)
    distances.push(nearest.map((j) => Math.sqrt(Math.max(0, at(j)))))
  }
  return { indices, distances }
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    sum += difference * difference
  }
  return sum
}

/**
 * The percentage of neighbours that points have in both, the points themselves left out: Q_NX of
 * Lee and Verleysen (2009).
 */
export function sharedNeighbours(one: Neighbours, other: Neighbours): number {
  const shares = one.indices.map(([, ...own], i) => {
    const others = new Set(other.indices[i]?.slice(1))
    return own.filter((j) => others.has(j)).length / own.length
  })
  return (100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length
}
