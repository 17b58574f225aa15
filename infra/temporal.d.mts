/** The path of Temporal's command line, which is installed first if need be. Rejects with a SetupError. */
export function ensureTemporal(): Promise<string>

/** The path, when `ensureTemporal` has nothing to do. */
export function presentTemporal(): string | undefined
