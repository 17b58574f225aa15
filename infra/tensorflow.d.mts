/** Links what TensorFlow opens by name into the folders of nvidia/ that it looks into. Rejects with a SetupError where a library is missing. */
export function linkStrays(target: string): Promise<void>
