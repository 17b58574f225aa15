/**
 * Returns the URL of the compiled cli/main.ts, and compiles it if there is no build of the present
 * sources. Returns undefined if a build cannot be written, such as in a directory that is
 * read-only. `root` is the checkout.
 */
export function compiledCommand(root?: string): Promise<string | undefined>
