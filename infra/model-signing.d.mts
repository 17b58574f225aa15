/**
 * Returns the path of `model_signing`, after installing it if necessary. Rejects with a SetupError.
 */
export function ensureModelSigning(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentModelSigning(): string | undefined
