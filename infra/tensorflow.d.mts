/**
 * Links libraries that TensorFlow opens by name into the folders of nvidia/ in which it looks for
 * them. Rejects with a SetupError if a library is missing.
 */
export function linkStrays(target: string): Promise<void>
