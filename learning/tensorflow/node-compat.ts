import { createRequire } from 'node:module'

// tfjs-node 4.22 calls two functions that Node 23 removed from `util`. This module restores them
// and must be imported first.
const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>
util.isArray ??= Array.isArray
util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined

// Hides TensorFlow's informational messages. Its warnings and errors are still shown.
process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'

/**
 * The threads that TensorFlow uses for one operation. The bytes of results depend on this number,
 * so every manifest records it.
 */
export const threads = Number((process.env.TF_NUM_INTRAOP_THREADS ??= '2'))

/**
 * Whether TensorFlow uses oneDNN's kernels on the CPU. The bytes of results depend on it, so every
 * manifest records it. TensorFlow's own default depends on the processor; here it is on unless the
 * user turns it off.
 */
export const oneDnn = (process.env.TF_ENABLE_ONEDNN_OPTS ??= '1') !== '0'
