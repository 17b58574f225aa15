/** Returns the path of `mlflow`, after installing it if necessary. Rejects with a SetupError. */
export function ensureMlflow(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentMlflow(): string | undefined
