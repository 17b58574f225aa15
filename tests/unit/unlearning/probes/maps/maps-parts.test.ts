import { describe, expect, test } from 'vitest'
import type { Point } from '../../../../../experiment/records/feature-maps.ts'
import { stream, type RandomStream } from '../../../../../learning/random.ts'
import { aligned, standardised } from '../../../../../unlearning/probes/maps/align.ts'
import {
  nearestNeighbours,
  sharedNeighbours,
  type Neighbours,
} from '../../../../../unlearning/probes/maps/neighbours.ts'
import { principalComponents } from '../../../../../unlearning/probes/maps/pca.ts'
import { startFrom, umapLayout } from '../../../../../unlearning/probes/maps/umap.ts'

/** Three groups of points [n, d], far from each other. */
function groups(count: number, width: number, random: RandomStream): number[][] {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: width }, (_, j) => random.normal() + (j === i % 3 ? 12 : 0)),
  )
}

const all = (points: readonly unknown[]) => points.map((_, i) => i)
const distance = ([x, y]: Point, [u, v]: Point) => Math.hypot(x - u, y - v)

describe('alignment', () => {
  const random = stream(1, 'alignment')
  const points = Array.from({ length: 20 }, (): Point => [random.normal(), 3 * random.normal()])
  const turned = (angle: number, mirror: 1 | -1) =>
    points.map(([x, y]): Point => [
      Math.cos(angle) * x - Math.sin(angle) * y * mirror + 5,
      Math.sin(angle) * x + Math.cos(angle) * y * mirror - 2,
    ])

  test.each([
    ['a rotation', 2.5, 1],
    ['a reflection', -1, -1],
  ] as const)('undoes %s and a shift', (_, angle, mirror) => {
    const found = aligned(turned(angle, mirror), points, all(points))
    found.forEach((point, i) => expect(distance(point, points[i] ?? [9, 9])).toBeLessThan(1e-9))
  })

  test('uses the named samples alone, and moves the others as one body', () => {
    const moved = turned(0.7, 1).map((point, i): Point => (i < 5 ? [point[0] + 40, point[1]] : point))
    const found = aligned(moved, points, all(points).slice(5))
    found.slice(5).forEach((point, i) => expect(distance(point, points[i + 5] ?? [9, 9])).toBeLessThan(1e-9))
    found.slice(0, 5).forEach((point, i) => expect(distance(point, points[i] ?? [9, 9])).toBeCloseTo(40, 6))
  })

  test('finds no closer angle by trying many', () => {
    const other = points.map(([x, y], i): Point => [x + Math.sin(i), y * 0.3])
    const error = (of: readonly Point[]) =>
      of.reduce((sum, point, i) => sum + distance(point, points[i] ?? [9, 9]) ** 2, 0)
    const found = error(aligned(other, points, all(points)))
    const centre = (of: readonly Point[], k: 0 | 1) => of.reduce((sum, p) => sum + p[k], 0) / of.length
    const [cx, cy, tx, ty] = [centre(other, 0), centre(other, 1), centre(points, 0), centre(points, 1)]
    for (const mirror of [1, -1])
      for (let step = 0; step < 720; step++) {
        const [c, s] = [Math.cos((step * Math.PI) / 360), Math.sin((step * Math.PI) / 360)]
        const tried = other.map(([x, y]): Point => {
          const [a, b] = [x - cx, (y - cy) * mirror]
          return [c * a - s * b + tx, s * a + c * b + ty]
        })
        expect(found).toBeLessThanOrEqual(error(tried) + 1e-9)
      }
  })

  test('a standardised map has mean 0 and mean square 1 on the named samples', () => {
    const on = [1, 4, 7, 9, 12]
    const found = standardised(points, on)
    const mean = (of: (point: Point) => number) => on.reduce((sum, i) => sum + of(found[i] ?? [9, 9]), 0) / 5
    expect(mean(([x]) => x)).toBeCloseTo(0, 12)
    expect(mean(([, y]) => y)).toBeCloseTo(0, 12)
    expect(mean(([x, y]) => x * x + y * y)).toBeCloseTo(1, 12)
    expect(
      standardised(
        [
          [3, 3],
          [3, 3],
        ],
        [0, 1],
      ),
    ).toEqual([
      [0, 0],
      [0, 0],
    ])
  })
})

describe('nearest neighbours', () => {
  test('are each point and the nearest others, at equal distances in the order of the indices', async () => {
    const found = await nearestNeighbours([[0], [1], [3], [1], [7]], 3)
    expect(found.indices).toEqual([
      [0, 1, 3],
      [1, 3, 0],
      [2, 1, 3],
      [3, 1, 0],
      [4, 2, 1],
    ])
    expect(found.distances[2]).toEqual([0, 2, 2])
  })

  test('of two spaces are shared to the percentage that counting gives', () => {
    const of = (indices: number[][]): Neighbours => ({ indices, distances: [] })
    const one = of([
      [0, 1, 2],
      [1, 0, 2],
    ])
    const other = of([
      [0, 2, 3],
      [1, 2, 0],
    ])
    expect(sharedNeighbours(one, other)).toBe(75)
    expect(sharedNeighbours(one, one)).toBe(100)
  })
})

describe('principal components', () => {
  test('of points along a line are their places on it, with a sign of their own', async () => {
    const line = [-3, -1, 0, 1, 9].map((t) => [2 * t + 1, -2 * t, t])
    const { points, explained } = await principalComponents(line)
    const places = [-3, -1, 0, 1, 9].map((t) => 3 * (t - 1.2))
    points.forEach(([x, y], i) => {
      expect(x).toBeCloseTo(places[i] ?? NaN, 9)
      expect(y).toBeCloseTo(0, 6)
    })
    expect(explained).toEqual({ value: expect.closeTo(100, 9) as number })
    const flipped = await principalComponents(line.map((row) => row.map((value) => -value)))
    expect(Math.max(...flipped.points.map(([x]) => Math.abs(x)))).toBeCloseTo(
      Math.max(...flipped.points.map(([x]) => x)),
    )
  })

  test('are the same by the covariance of the features and by that of the samples', async () => {
    const random = stream(1, 'pca')
    const tall = Array.from({ length: 12 }, () =>
      Array.from({ length: 5 }, (_, j) => random.normal() * (6 - j)),
    )
    // Columns of zeros make the features wider than the samples are many, and change no product.
    const wide = tall.map((row) => [...row, ...Array.from({ length: 30 }, () => 0)])
    const [one, other] = [await principalComponents(tall), await principalComponents(wide)]
    one.points.forEach(([x, y], i) => {
      expect(other.points[i]?.[0]).toBeCloseTo(x, 8)
      expect(other.points[i]?.[1]).toBeCloseTo(y, 8)
    })
    expect(other.explained).toEqual({
      value: expect.closeTo('value' in one.explained ? one.explained.value : NaN, 8) as number,
    })
    // No direction has more variance than the first.
    const variance = one.points.reduce((sum, [x]) => sum + x * x, 0)
    for (let i = 0; i < 200; i++) {
      const direction = Array.from({ length: 5 }, () => random.normal())
      const length = Math.hypot(...direction)
      const values = tall.map((row) =>
        row.reduce((sum, value, j) => sum + (value * (direction[j] ?? 0)) / length, 0),
      )
      const mean = values.reduce((a, b) => a + b, 0) / values.length
      expect(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)).toBeLessThanOrEqual(variance)
    }
  })

  test('of constant features are missing', async () => {
    expect(
      await principalComponents([
        [1, 2],
        [1, 2],
        [1, 2],
      ]),
    ).toEqual({
      points: [
        [0, 0],
        [0, 0],
        [0, 0],
      ],
      explained: { missing: 'the features are constant' },
    })
  })
})

describe('UMAP', () => {
  const features = groups(90, 8, stream(1, 'umap test'))
  const layout = async (random: RandomStream, onEpoch?: () => Promise<void>) => {
    const near = await nearestNeighbours(features, 10)
    const start = startFrom((await principalComponents(features)).points)
    return umapLayout({ features, near, minDistance: 0.1, start, random, onEpoch })
  }

  test('places each sample among those of its group', async () => {
    const points = await layout(stream(1, 'a'))
    const { indices } = await nearestNeighbours(points, 6)
    for (const [i, near] of indices.entries()) expect(near.map((j) => j % 3)).toEqual(near.map(() => i % 3))
  })

  test('gives the same bytes again, also while other work runs between the epochs', async () => {
    const once = await layout(stream(1, 'a'))
    let others = 0
    const busy = layout(stream(1, 'a'), async () => {
      others += 1
      await new Promise((resolve) => setImmediate(resolve))
    })
    const [again, beside, other] = await Promise.all([busy, layout(stream(1, 'a')), layout(stream(2, 'a'))])
    expect(others).toBe(500)
    expect(JSON.stringify(again)).toBe(JSON.stringify(once))
    expect(JSON.stringify(beside)).toBe(JSON.stringify(once))
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(once))
  })
})
