/** Makes `@tensorflow/tfjs-node-gpu` loadable. Rejects with a SetupError. */
export function ensureNative(options?: { gpu?: boolean }): Promise<void>

/** Tells the TensorFlow of an installed package where its addon is, for this process and its children. */
export function useNative(): void

/** Whether `ensureNative` has nothing to do. */
export function isNativeReady(options?: { gpu?: boolean }): boolean
