import { OutOfMemoryError } from './errors.ts'

/** The batch size of passes over samples for which the parameters name none. */
const DEFAULT_BATCH = 256

/**
 * The failure of an attempt that ran out of memory with this many micro-batches in each batch. It
 * is final if a micro-batch is a single sample already. `said` is the message of the device.
 */
export function memoryFailure(
  { title, params }: { readonly title: string; readonly params: object },
  microBatches: number,
  said: string,
): OutOfMemoryError {
  const batch = largestBatch(params) || DEFAULT_BATCH
  const size = Math.ceil(batch / microBatches)
  return size > 1
    ? new OutOfMemoryError(
        `'${title}': ${said}. It is tried again, ${Math.ceil(size / 2)} samples at a time.`,
        false,
      )
    : new OutOfMemoryError(
        `'${title}' does not fit into memory, even with one sample of a batch at a time: ${said}. A smaller model or smaller ` +
          'images would fit, or a worker whose device has more memory.',
        true,
      )
}

/** The largest batch size in the parameters of a stage, at any depth; 0 if they have none. */
function largestBatch(params: unknown): number {
  if (typeof params !== 'object' || params === null) return 0
  const sizes = Object.entries(params).map(([name, value]) =>
    typeof value === 'number' && /batch(Size)?$/i.test(name) ? value : largestBatch(value),
  )
  return Math.max(0, ...sizes)
}
