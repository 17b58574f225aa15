/** The path of Temporal's server, which is installed first if need be. Rejects with a SetupError. */
export function ensureTemporalServer(): Promise<string>

/** The path, when `ensureTemporalServer` has nothing to do. */
export function presentTemporalServer(): string | undefined
