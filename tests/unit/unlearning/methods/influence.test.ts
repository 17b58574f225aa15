import { Matrix, solve } from 'ml-matrix'
import { expect, test } from 'vitest'
import { MathError } from '../../../../common/errors.ts'
import { stream } from '../../../../learning/random.ts'
import { tf } from '../../../../learning/tensorflow/tf.ts'
import { checkMemory, dampedSolve, unlearn } from '../../../../unlearning/methods/influence.ts'
import { context, methodSpec } from '../../../support/toy.ts'
import { gradientOf, linearData, linearLayers, linearWeights, samples } from '../../../support/linear.ts'

const retained = Int32Array.of(0, 2, 3, 5)
const forget = Int32Array.of(1, 4)
const size = linearWeights.trained.length

const gradients = samples.map(({ x, y }) => gradientOf(x, y))
const mean = (indices: Int32Array) =>
  Array.from(
    { length: size },
    (_, i) => [...indices].reduce((sum, n) => sum + (gradients[n]?.[i] ?? NaN), 0) / indices.length,
  )

async function influence(options: Record<string, unknown>): Promise<Float32Array> {
  const data = linearData()
  const spec = methodSpec({ method: 'influence', ...options })
  const { weights } = await unlearn(spec, { ...context(linearLayers, linearWeights, data), retained, forget })
  data.dispose()
  return weights.trained
}

/** θ + α H⁻¹ v with H as a dense matrix in float64. */
function newton(alpha: number, damping: number): readonly number[] {
  const [onForget, onRetained] = [mean(forget), mean(retained)]
  const share = forget.length / (forget.length + retained.length)
  const v = onForget.map((value, i) => share * (value - (onRetained[i] ?? NaN)))
  const rows = new Matrix([...retained].map((n) => gradients[n] ?? []))
  const hessian = rows.transpose().mmul(rows).div(retained.length).add(Matrix.eye(size).mul(damping))
  const step = solve(hessian, Matrix.columnVector(v)).to1DArray()
  return step.map((value, i) => (linearWeights.trained[i] ?? NaN) + alpha * value)
}

test.each([
  { alpha: 1, damping: 1 },
  { alpha: 3, damping: 0.05 },
])('one step is the Newton step with the damped Fisher information: %o', async ({ alpha, damping }) => {
  const theta = await influence({ alpha, damping })
  newton(alpha, damping).forEach((expected, i) => {
    expect(Math.abs((theta[i] ?? NaN) - expected)).toBeLessThan(1e-4 * (1 + Math.abs(expected)))
  })
})

test('the inverse is that of the recursion over one gradient after the other', async () => {
  const [n, width, damping] = [70, 40, 0.3]
  const random = stream(1, 'recursion')
  const normal = (length: number) => Array.from({ length }, () => random.normal())
  const rows = Array.from({ length: n }, () => normal(width))
  const v = normal(width)

  // H⁻¹, from I / δ, by Woodbury's identity for one row at a time.
  let inverse = Matrix.eye(width).div(damping)
  for (const row of rows) {
    const g = Matrix.columnVector(row)
    const moved = inverse.mmul(g)
    inverse = Matrix.sub(inverse, moved.mmul(moved.transpose()).div(n + moved.dot(g)))
  }
  const expected = inverse.mmul(Matrix.columnVector(v)).to1DArray()

  const before = tf.memory().numTensors
  const blocks = [rows.slice(0, 32), rows.slice(32, 64), rows.slice(64)].map((block) => tf.tensor2d(block))
  const right = tf.tensor1d(v)
  const found = await dampedSolve(blocks, right, damping)
  found.dataSync().forEach((value, i) => {
    expect(Math.abs(value - (expected[i] ?? NaN))).toBeLessThan(1e-4 * (1 + Math.abs(value)))
  })
  tf.dispose([...blocks, right, found])
  expect(tf.memory().numTensors).toBe(before)
})

test('more gradients than memory holds are refused, with how many it does hold', () => {
  expect(() => {
    checkMemory(1000, 11_173_962)
  }).toThrow(/1000 samples, 41\.6 GiB .* lower "samples" to 384/)
  expect(() => {
    checkMemory(384, 11_173_962)
  }).not.toThrow()
})

test('a Hessian that its damping cannot save is said', async () => {
  const rows = tf.tensor2d([
    [1e20, 1],
    [1e20, -1],
  ])
  await expect(dampedSolve([rows], tf.tensor1d([1, 1]), 1e-12)).rejects.toThrow(MathError)
})
