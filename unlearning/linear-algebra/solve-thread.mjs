// The thread of the functions in solve.ts. It computes one result, posts it and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix'

const { operation, size, columns = size, matrix, right } = workerData
const given = Matrix.from1DArray(size, columns, matrix)

function solved() {
  const cholesky = new CholeskyDecomposition(given)
  if (!cholesky.isPositiveDefinite()) return undefined
  return Float64Array.from(cholesky.solve(Matrix.from1DArray(size, right.length / size, right)).to1DArray())
}

function eigenvectors() {
  const { eigenvectorMatrix } = new EigenvalueDecomposition(given, { assumeSymmetric: true })
  return Float64Array.from(eigenvectorMatrix.to1DArray())
}

function nuclearNorm() {
  const { diagonal } = new SingularValueDecomposition(given, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  })
  return Float64Array.of(diagonal.reduce((sum, value) => sum + value, 0))
}

const operations = { solve: solved, eigenvectors, nuclearNorm }
parentPort.postMessage(operations[operation]())
