type Entry = 'cli/main.ts' | 'worker/main.ts'

/**
 * Executes an entry in this process: its build, or its sources if a build cannot be written.
 */
export function execute(entry: Entry): Promise<void>

/**
 * Returns the URL of a compiled entry, and compiles all entries if there is no build of the present
 * sources. Returns undefined if a build cannot be written, such as in a directory that is
 * read-only. `root` is the checkout.
 */
export function compiledEntry(entry: Entry, root?: string): Promise<string | undefined>

/** Returns whether there is a build of the present sources. */
export function isCompiled(root?: string): boolean
