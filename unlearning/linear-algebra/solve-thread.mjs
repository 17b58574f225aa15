// The decompositions of solve.ts. As a thread, this module computes one, posts it and ends.
import { parentPort, workerData } from 'node:worker_threads'
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix, SingularValueDecomposition } from 'ml-matrix'

function solved(given, size, right) {
  const cholesky = new CholeskyDecomposition(given)
  if (!cholesky.isPositiveDefinite()) return undefined
  return Float64Array.from(cholesky.solve(Matrix.from1DArray(size, right.length / size, right)).to1DArray())
}

function eigenvectors(given) {
  const { eigenvectorMatrix } = new EigenvalueDecomposition(given, { assumeSymmetric: true })
  return Float64Array.from(eigenvectorMatrix.to1DArray())
}

function nuclearNorm(given) {
  const { diagonal } = new SingularValueDecomposition(given, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  })
  return Float64Array.of(diagonal.reduce((sum, value) => sum + value, 0))
}

const operations = { solve: solved, eigenvectors, nuclearNorm }

export function decompose({ operation, size, columns = size, matrix, right }) {
  return operations[operation](Matrix.from1DArray(size, columns, matrix), size, right)
}

// It is also imported, for matrices that need no thread.
if (workerData?.operation) parentPort.postMessage(decompose(workerData))
