import { Worker } from 'node:worker_threads'

/**
 * Decompositions of symmetric matrices, on a thread of their own: those of a few thousand rows take minutes, in which the
 * event loop has heartbeats to send.
 */

/** X of matrix·X = right, [size, k] as `right`, both row-major; undefined where the matrix [size, size] is not positive definite. */
export function choleskySolve(
  size: number,
  matrix: Float64Array,
  right: Float64Array,
): Promise<Float64Array | undefined> {
  return onThread({ operation: 'solve', size, matrix, right })
}

/** Eigenvectors as columns of [size, size], row-major, by ascending eigenvalue. */
export async function eigenvectors(size: number, matrix: Float64Array): Promise<Float64Array> {
  return (await onThread({ operation: 'eigenvectors', size, matrix })) ?? new Float64Array()
}

function onThread(workerData: object): Promise<Float64Array | undefined> {
  return new Promise((resolve, reject) => {
    // Without this process's loaders, which would take longer than most of the work.
    const worker = new Worker(new URL('solve-thread.mjs', import.meta.url), { execArgv: [], workerData })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', (code) => {
      reject(new Error(`the thread that solves ended with ${code} before it answered`))
    })
  })
}
