// The thread of choleskySolve and eigenvectors. It computes one result, posts it and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix'

const { operation, size, matrix, right } = workerData
const symmetric = Matrix.from1DArray(size, size, matrix)

function solved() {
  const cholesky = new CholeskyDecomposition(symmetric)
  if (!cholesky.isPositiveDefinite()) return undefined
  return Float64Array.from(cholesky.solve(Matrix.from1DArray(size, right.length / size, right)).to1DArray())
}

function eigenvectors() {
  const { eigenvectorMatrix } = new EigenvalueDecomposition(symmetric, { assumeSymmetric: true })
  return Float64Array.from(eigenvectorMatrix.to1DArray())
}

parentPort.postMessage(operation === 'solve' ? solved() : eigenvectors())
