import type { Point } from '../../../experiment/records/feature-maps.ts'

/**
 * Moves a map onto another one of the same samples as a rigid body: the rotation or reflection Q
 * and the shift that minimise Σ ‖x Q + s − y‖² over the samples at `on` (orthogonal Procrustes,
 * Schönemann 1966; on two axes the solution has a closed form). Distances do not change.
 */
export function aligned(
  points: readonly Point[],
  to: readonly Point[],
  on: readonly number[],
): readonly Point[] {
  const [from, onto] = [centreOf(points, on), centreOf(to, on)]
  // M = Σ (x − x̄)ᵀ (y − ȳ). Q maximises Σᵢⱼ Qᵢⱼ Mᵢⱼ.
  let [a, b, c, d] = [0, 0, 0, 0]
  for (const i of on) {
    const [x, y] = minus(points[i], from)
    const [u, v] = minus(to[i], onto)
    a += x * u
    b += x * v
    c += y * u
    d += y * v
  }
  // Rotations are [[p, q], [−q, p]] and reflections [[p, q], [q, −p]].
  const rotation: Point = [a + d, b - c]
  const reflection: Point = [a - d, b + c]
  const isReflected = lengthOf(reflection) > lengthOf(rotation)
  const best = isReflected ? reflection : rotation
  const length = lengthOf(best)
  const [p, q] = length > 0 ? [best[0] / length, best[1] / length] : [1, 0]
  const sign = isReflected ? -1 : 1
  return points.map((point): Point => {
    const [x, y] = minus(point, from)
    return [p * x - sign * q * y + onto[0], q * x + sign * p * y + onto[1]]
  })
}

/**
 * A map around the mean of the samples at `on`, divided by the root of their mean squared distance
 * from it. A map without extent stays as it is.
 */
export function standardised(points: readonly Point[], on: readonly number[]): readonly Point[] {
  const centre = centreOf(points, on)
  const squares = on.reduce((sum, i) => sum + lengthOf(minus(points[i], centre)) ** 2, 0)
  const scale = squares > 0 ? Math.sqrt(squares / on.length) : 1
  return points.map((point): Point => {
    const [x, y] = minus(point, centre)
    return [x / scale, y / scale]
  })
}

function centreOf(points: readonly Point[], on: readonly number[]): Point {
  const sum = on.reduce<Point>(([x, y], i) => [x + (points[i]?.[0] ?? 0), y + (points[i]?.[1] ?? 0)], [0, 0])
  return [sum[0] / on.length, sum[1] / on.length]
}

function minus([x, y]: Point = [0, 0], [u, v]: Point): Point {
  return [x - u, y - v]
}

function lengthOf([x, y]: Point): number {
  return Math.sqrt(x * x + y * y)
}
