import fc from 'fast-check'
import { expect, test } from 'vitest'
import { permutation, sample, stream } from '../../../learning/random.ts'

test('a stream is decided by its name alone, whatever was drawn elsewhere', () => {
  const alone = stream(1, 'order', 3)
  const first = [alone.uniform(), alone.uniform()]
  const other = stream(1, 'order', 4)
  other.uniform()
  const again = stream(1, 'order', 3)
  expect([again.uniform(), again.uniform()]).toEqual(first)
  expect(other.uniform()).not.toBe(first[1])
})

test('a seed, a purpose and a step each change the stream, and ambiguous names do not collide', () => {
  const names: [number, ...(string | number)[]][] = [
    [1, 'a', 1],
    [2, 'a', 1],
    [1, 'b', 1],
    [1, 'a', 2],
    [1, 'a', '1'],
    [1, 'a1'],
  ]
  expect(new Set(names.map(([seed, ...name]) => stream(seed, ...name).uniform())).size).toBe(names.length)
})

test('the draws stay what they are: results that were published depend on them', () => {
  const random = stream(42, 'pinned')
  expect([random.uniform(), random.integer(1000), random.normal()]).toMatchInlineSnapshot(`
    [
      0.9009714929852635,
      439,
      -0.7317553363219174,
    ]
  `)
  expect([...permutation(8, stream(42, 'pinned'))]).toMatchInlineSnapshot(`
    [
      0,
      7,
      3,
      4,
      6,
      2,
      5,
      1,
    ]
  `)
})

test('uniform and normal have the moments that they should', () => {
  const random = stream(7, 'moments')
  const count = 100_000
  const uniforms = Array.from({ length: count }, () => random.uniform())
  const normals = Array.from({ length: count }, () => random.normal())
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / count
  const variance = (values: number[]) => mean(values.map((value) => value ** 2)) - mean(values) ** 2
  // Five standard errors.
  expect(Math.abs(mean(uniforms) - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / count))
  expect(Math.abs(mean(normals))).toBeLessThan(5 / Math.sqrt(count))
  expect(Math.abs(variance(normals) - 1)).toBeLessThan(5 * Math.sqrt(2 / count))
})

test('a permutation holds every index once; a sample holds distinct values', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, seed, share) => {
        const order = permutation(n, stream(seed, 'order'))
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i))
        const count = Math.floor(share * n)
        const values = order.map((i) => 3 * i)
        const drawn = sample(values, count, stream(seed, 'sample'))
        expect(new Set(drawn).size).toBe(count)
        expect([...drawn].every((value) => value % 3 === 0 && value < 3 * n)).toBe(true)
      },
    ),
  )
})
