/**
 * Builds a directory of the cache once, and returns its path. `name` is its path below the cache;
 * `build` fills the directory that it gets.
 */
export function installOnce(name: string, build: (directory: string) => Promise<unknown>): Promise<string>
