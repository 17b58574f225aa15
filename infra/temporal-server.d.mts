/**
 * Returns the path of Temporal's server, after building it if necessary. Rejects with a SetupError.
 */
export function ensureTemporalServer(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentTemporalServer(): string | undefined
