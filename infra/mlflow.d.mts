/** The path of the `mlflow` executable, which is installed first if need be. Rejects with a SetupError. */
export function ensureMlflow(): Promise<string>

/** The path, when `ensureMlflow` has nothing to do. */
export function presentMlflow(): string | undefined
