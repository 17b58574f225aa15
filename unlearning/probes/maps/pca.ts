import type { Point } from '../../../experiment/records/feature-maps.ts'
import type { Measured } from '../../../experiment/records/measured.ts'
import { eigenvectors } from '../../linear-algebra/solve.ts'
import type { YieldControl } from '../../yield-control.ts'

export interface PrincipalComponents {
  readonly points: readonly Point[]
  /** Percent of the variance that the two axes have. Missing for constant features. */
  readonly explained: Measured
}

/** Rows between which control is yielded. */
const CHUNK = 16

/**
 * The samples along the two directions of the greatest variance of their features [n, d] (Pearson
 * 1901). The sign of an axis, which is not determined, is the one with which the coordinate
 * furthest from 0 is positive.
 *
 * The directions are eigenvectors of Xᵀ X, with X the centred features. If d > n, the coordinates
 * are those of X Xᵀ, which is smaller: u with X Xᵀ u = λ u becomes √λ u.
 */
export async function principalComponents(
  features: readonly (readonly number[])[],
  pause?: YieldControl,
): Promise<PrincipalComponents> {
  const x = centred(features)
  const [n, d] = [x.length, x[0]?.length ?? 0]
  const total = x.reduce((sum, row) => sum + dot(row, row), 0)
  if (!(total > 0))
    return { points: x.map((): Point => [0, 0]), explained: { missing: 'the features are constant' } }
  const isWide = d > n
  const vectors = isWide ? x : transposed(x)
  const size = vectors.length
  const products = new Float64Array(size * size)
  for (const [i, row] of vectors.entries()) {
    if (i % CHUNK === 0) await pause?.()
    for (let j = 0; j <= i; j++) {
      const product = dot(row, vectors[j] ?? row)
      products[i * size + j] = product
      products[j * size + i] = product
    }
  }
  const found = await eigenvectors(size, products)
  const axes = [1, 2].map((last) => {
    const vector = Float64Array.from({ length: size }, (_, i) =>
      last <= size ? (found[i * size + size - last] ?? 0) : 0,
    )
    if (!isWide) return positive(x.map((row) => dot(row, vector)))
    const image = Array.from({ length: size }, (_, i) =>
      dot(products.subarray(i * size, (i + 1) * size), vector),
    )
    const eigenvalue = dot(Float64Array.from(image), vector)
    return positive(Array.from(vector, (value) => value * Math.sqrt(Math.max(0, eigenvalue))))
  })
  const [first = [], second = []] = axes
  const shown = axes.reduce((sum, axis) => sum + dot(axis, axis), 0)
  return {
    points: first.map((value, i): Point => [value, second[i] ?? 0]),
    explained: { value: Math.min(100, (100 * shown) / total) },
  }
}

function centred(features: readonly (readonly number[])[]): readonly Float64Array[] {
  const width = features[0]?.length ?? 0
  const mean = new Float64Array(width)
  for (const row of features) row.forEach((value, j) => (mean[j] = (mean[j] ?? 0) + value / features.length))
  return features.map((row) => Float64Array.from(row, (value, j) => value - (mean[j] ?? 0)))
}

function transposed(rows: readonly Float64Array[]): readonly Float64Array[] {
  return Array.from(rows[0] ?? [], (_, j) => Float64Array.from(rows, (row) => row[j] ?? 0))
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** The coordinates with the sign that makes the one furthest from 0 positive. */
function positive(values: readonly number[]): readonly number[] {
  const furthest = values.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  return furthest < 0 ? values.map((value) => -value) : values
}
