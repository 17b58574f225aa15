/**
 * Messages of TensorFlow, CUDA and its libraries when the memory of the device or the machine is
 * exhausted.
 */
const signs =
  /OOM when allocating|RESOURCE_EXHAUSTED|ResourceExhausted|Invalid TF_Status: 8\b|CUDA_ERROR_OUT_OF_MEMORY|CU(?:BLAS|DNN|SOLVER)_STATUS_ALLOC_FAILED/

/** The first line of an out-of-memory error; undefined for any other error. */
export function outOfMemory(error: unknown): string | undefined {
  if (!(error instanceof Error) || !signs.test(error.message)) return undefined
  return error.message.split('\n').find((line) => !line.startsWith('Invalid TF_Status')) ?? error.message
}
