import { createRequire } from 'node:module'

// tfjs-node 4.22 calls two functions that Node 23 removed from `util`. Imported before it, this puts them back.
const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
util.isArray ??= Array.isArray
util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined

// TensorFlow's own start-up notes; its warnings and errors still come through.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'

/** Threads that TensorFlow uses for one operation. The bytes of a result depend on it, so it is in every manifest. */
export const threads = Number((process.env.TF_NUM_INTRAOP_THREADS ??= '2'))

/**
 * Whether TensorFlow computes with oneDNN's kernels on the CPU. They give other bytes, so this is in every
 * manifest. TensorFlow's own default depends on the processor; here it is on unless the user turns it off.
 */
export const oneDnn = (process.env.TF_ENABLE_ONEDNN_OPTS ??= '1') !== '0'
