type Entry =
  'cli/main.ts' | 'worker/main.ts' | 'worker/prepare.ts' | 'api/index.ts' | 'learning/tensorflow/tf.ts'

/**
 * Loads an entry into this process: its build, or its sources if a build cannot be written. Returns
 * the module.
 */
export function load(entry: Entry): Promise<Readonly<Record<string, unknown>>>

/**
 * Returns the URL of a compiled entry, and compiles all entries if there is no build of the present
 * sources. Returns undefined if a build cannot be written, such as in a directory that is
 * read-only. `root` is the checkout.
 */
export function compiledEntry(entry: Entry, root?: string): Promise<string | undefined>
