/** What TensorFlow, CUDA and its libraries say where the device's memory, or the machine's, is not enough. */
const signs =
  /OOM when allocating|RESOURCE_EXHAUSTED|ResourceExhausted|Invalid TF_Status: 8\b|CUDA_ERROR_OUT_OF_MEMORY|CU(?:BLAS|DNN|SOLVER)_STATUS_ALLOC_FAILED/

/** The first line of what it said, where an error is that memory was not enough. */
export function outOfMemory(error: unknown): string | undefined {
  if (!(error instanceof Error) || !signs.test(error.message)) return undefined
  return error.message.split('\n').find((line) => !line.startsWith('Invalid TF_Status')) ?? error.message
}
