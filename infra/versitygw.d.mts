/**
 * Returns the path of Versity's S3 server, after building it if necessary. Rejects with a
 * SetupError.
 */
export function ensureVersitygw(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentVersitygw(): string | undefined
