/**
 * Builds a directory of the cache once, and answers it. `name`: its path below the cache; `build` fills
 * the directory that it is given.
 */
export function installOnce(name: string, build: (directory: string) => Promise<unknown>): Promise<string>
