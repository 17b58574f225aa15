import { describe, expect, test } from 'vitest'
import { stream } from '../../../../learning/random.ts'
import { choleskySolve, eigenvectors, nuclearNorm } from '../../../../unlearning/linear-algebra/solve.ts'
import { decompose } from '../../../../unlearning/linear-algebra/solve-thread.mjs'

/** A positive definite matrix, row-major. */
function definite(size: number): Float64Array {
  const random = stream(1, 'matrix')
  const root = Float64Array.from({ length: size * size }, () => random.normal())
  return Float64Array.from({ length: size * size }, (_, at) => {
    const [row, column] = [Math.floor(at / size), at % size]
    let sum = row === column ? 1 : 0
    for (let k = 0; k < size; k++) sum += (root[row * size + k] ?? NaN) * (root[column * size + k] ?? NaN)
    return sum
  })
}

// The larger one is decomposed on a thread.
describe.each([8, 160])('a matrix of %i rows', (size) => {
  const matrix = definite(size)
  const row = (i: number) => matrix.subarray(i * size, (i + 1) * size)
  const dot = (a: Float64Array, b: Float64Array) =>
    a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0)

  test('is solved', async () => {
    const right = Float64Array.from({ length: size }, (_, i) => i - 3)
    const solution = await choleskySolve(size, matrix, right)
    if (!solution) throw new Error('the matrix is positive definite')
    for (let i = 0; i < size; i++) expect(dot(row(i), solution)).toBeCloseTo(right[i] ?? NaN, 6)
  })

  test('is not solved if it is not positive definite', async () => {
    const negative = matrix.map((value, at) => (at === 0 ? -1 : value))
    expect(await choleskySolve(size, negative, new Float64Array(size))).toBeUndefined()
  })

  test('has eigenvectors, and a nuclear norm, which is the trace of a positive definite one', async () => {
    const vectors = await eigenvectors(size, matrix)
    const last = Float64Array.from({ length: size }, (_, i) => vectors[i * size + size - 1] ?? NaN)
    const image = Float64Array.from({ length: size }, (_, i) => dot(row(i), last))
    const value = dot(image, last)
    for (let i = 0; i < size; i++) expect(image[i]).toBeCloseTo(value * (last[i] ?? NaN), 6)
    const trace = Array.from({ length: size }, (_, i) => row(i)[i] ?? NaN).reduce((sum, one) => sum + one)
    expect((await nuclearNorm(size, size, matrix)) / trace).toBeCloseTo(1, 9)
  })
})

test('a thread gives the bytes that are computed without one', async () => {
  const size = 160
  const matrix = definite(size)
  const right = new Float64Array(size).fill(1)
  expect(await choleskySolve(size, matrix, right)).toEqual(
    decompose({ operation: 'solve', size, matrix, right }),
  )
  expect(await eigenvectors(size, matrix)).toEqual(decompose({ operation: 'eigenvectors', size, matrix }))
})
