/** The path of Versity's S3 server, which is built first if need be. Rejects with a SetupError. */
export function ensureVersitygw(): Promise<string>

/** The path, when `ensureVersitygw` has nothing to do. */
export function presentVersitygw(): string | undefined
