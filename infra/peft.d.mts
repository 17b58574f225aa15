/** The path of its `python`, which is installed first if need be. Rejects with a SetupError. */
export function ensurePeft(): Promise<string>

/** The path, when `ensurePeft` has nothing to do. */
export function presentPeft(): string | undefined
