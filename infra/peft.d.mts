/**
 * Returns the path of its `python`, after installing it if necessary. Rejects with a SetupError.
 */
export function ensurePeft(): Promise<string>

/** Returns the path, or undefined if it is not installed. */
export function presentPeft(): string | undefined
