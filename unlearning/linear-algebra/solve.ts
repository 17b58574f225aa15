import { Worker } from 'node:worker_threads'

/**
 * Decompositions of matrices on a thread of their own. A few thousand rows take minutes,
 * during which the event loop must send heartbeats.
 */

/**
 * Solves matrix·X = right. matrix is [size, size], right and X are [size, k], all row-major.
 * Returns undefined if the matrix is not positive definite.
 */
export function choleskySolve(
  size: number,
  matrix: Float64Array,
  right: Float64Array,
): Promise<Float64Array | undefined> {
  return onThread({ operation: 'solve', size, matrix, right })
}

/**
 * The eigenvectors of a matrix [size, size] as columns, row-major, in ascending order of
 * eigenvalues.
 */
export async function eigenvectors(size: number, matrix: Float64Array): Promise<Float64Array> {
  return (await onThread({ operation: 'eigenvectors', size, matrix })) ?? new Float64Array()
}

/** The sum of the singular values of a matrix [rows, columns], row-major. */
export async function nuclearNorm(rows: number, columns: number, matrix: Float64Array): Promise<number> {
  const [norm = NaN] = (await onThread({ operation: 'nuclearNorm', size: rows, columns, matrix })) ?? []
  return norm
}

function onThread(workerData: object): Promise<Float64Array | undefined> {
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
