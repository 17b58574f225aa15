/**
 * Returns the path of Temporal's command line, after installing it if necessary. Rejects with a
 * SetupError.
 */
export function ensureTemporal(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentTemporal(): string | undefined
