import { Worker } from 'node:worker_threads'
import type { Decomposition } from './solve-thread.mjs'

/**
 * Decompositions of matrices. A few thousand rows take minutes, during which the event loop must
 * send heartbeats, so that large matrices are decomposed on a thread of their own.
 */

/** Up to so many rows and columns, the decomposition takes less time than the start of a thread. */
const SMALL = 128

/**
 * Solves matrix·X = right. matrix is [size, size], right and X are [size, k], all row-major.
 * Returns undefined if the matrix is not positive definite.
 */
export function choleskySolve(
  size: number,
  matrix: Float64Array,
  right: Float64Array,
): Promise<Float64Array | undefined> {
  return decomposed({ operation: 'solve', size, matrix, right })
}

/**
 * The eigenvectors of a matrix [size, size] as columns, row-major, in ascending order of
 * eigenvalues.
 */
export async function eigenvectors(size: number, matrix: Float64Array): Promise<Float64Array> {
  return (await decomposed({ operation: 'eigenvectors', size, matrix })) ?? new Float64Array()
}

/** The sum of the singular values of a matrix [rows, columns], row-major. */
export async function nuclearNorm(rows: number, columns: number, matrix: Float64Array): Promise<number> {
  const [norm = NaN] = (await decomposed({ operation: 'nuclearNorm', size: rows, columns, matrix })) ?? []
  return norm
}

async function decomposed(work: Decomposition): Promise<Float64Array | undefined> {
  if (Math.max(work.size, work.columns ?? 0) > SMALL) return onThread(work)
  const { decompose } = await import('./solve-thread.mjs')
  return decompose(work)
}

function onThread(workerData: Decomposition): Promise<Float64Array | undefined> {
  return new Promise((resolve, reject) => {
    // The process's loaders are not needed and would take longer to start than most of the work.
    const worker = new Worker(new URL('solve-thread.mjs', import.meta.url), { execArgv: [], workerData })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => {
      reject(new Error(`the thread that solves ended with ${code} before it answered`))
    })
  })
}
