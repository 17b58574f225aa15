import fc from 'fast-check'
import { expect, test } from 'vitest'
import { tf } from '../../../../../learning/tensorflow/tf.ts'
import { nearestOfClass } from '../../../../../unlearning/methods/rfa/neighbours.ts'

interface Given {
  readonly points: readonly (readonly number[])[]
  readonly classes: readonly number[]
}

async function nearest(queries: Given, candidates: Given): Promise<number[]> {
  const tensors = [queries, candidates].map(({ points }) => tf.tensor2d(points.map((p) => [...p])))
  const [here, there] = tensors
  if (!here || !there) throw new Error('two tensors')
  const before = tf.memory().numTensors
  const found = await nearestOfClass(
    { at: here, classes: Int32Array.from(queries.classes) },
    { at: there, classes: Int32Array.from(candidates.classes) },
  )
  expect(tf.memory().numTensors).toBe(before)
  tf.dispose(tensors)
  return [...found]
}

/** Whole numbers near 0: their distances are exact. */
const given = fc.array(
  fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 }), fc.nat(2)),
  {
    minLength: 1,
    maxLength: 20,
  },
)
const parted = (rows: readonly (readonly [number, number, number])[]): Given => ({
  points: rows.map(([x, y]) => [x, y]),
  classes: rows.map(([, , label]) => label),
})

test('is as near as any candidate of the class, and −1 where there is none', async () => {
  await fc.assert(
    fc.asyncProperty(given.map(parted), given.map(parted), async (queries, candidates) => {
      const found = await nearest(queries, candidates)
      const distance = (i: number, j: number) =>
        Math.hypot(...(queries.points[i] ?? []).map((x, d) => x - (candidates.points[j]?.[d] ?? NaN)))
      queries.classes.forEach((wanted, i) => {
        const distances = candidates.classes.flatMap((label, j) => (label === wanted ? [distance(i, j)] : []))
        const position = found[i] ?? NaN
        if (distances.length === 0) expect(position).toBe(-1)
        else {
          expect(candidates.classes[position]).toBe(wanted)
          expect(distance(i, position)).toBeCloseTo(Math.min(...distances), 5)
        }
      })
    }),
    { numRuns: 50 },
  )
})

test('of several as near, the first is taken', async () => {
  const queries = { points: [[0, 0]], classes: [1] }
  const candidates = {
    points: [
      [0, 0],
      [3, 0],
      [0, 2],
      [2, 0],
      [-2, 0],
      [0, -2],
      [-3, 0],
    ],
    classes: [0, 1, 1, 1, 1, 1, 1],
  }
  expect(await nearest(queries, candidates)).toEqual([2])
  const twice = { points: [[0.3, 0.7], ...candidates.points, ...candidates.points], classes: [1] }
  expect(await nearest(queries, { ...twice, classes: twice.points.map(() => 1) })).toEqual([1])
})

test('points that are far from the origin are told apart', async () => {
  const far = 4096
  const queries = { points: [[far, far + 0.25]], classes: [0] }
  const candidates = {
    points: [
      [far + 1, far],
      [far, far],
      [far, far + 1],
    ],
    classes: [0, 0, 0],
  }
  expect(await nearest(queries, candidates)).toEqual([1])
})

test('more queries than are looked at at once each have their own', async () => {
  const points = Array.from({ length: 1300 }, (_, i) => [i % 700, 1])
  const one = { points, classes: points.map(() => 0) }
  const found = await nearest(one, { ...one, points: points.map(([x = 0]) => [x, 5]) })
  expect(found).toEqual(points.map((_, i) => i % 700))
})
