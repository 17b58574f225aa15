/** Makes `@tensorflow/tfjs-node-gpu` loadable. Rejects with a SetupError. */
export function ensureNative(options?: { gpu?: boolean }): Promise<void>

/** Whether `ensureNative` has nothing to do. */
export function isNativeReady(options?: { gpu?: boolean }): boolean
