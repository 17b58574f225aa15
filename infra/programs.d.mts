/** Returns the path of the first name that is an executable file on PATH. */
export function which(...names: (string | undefined)[]): string | undefined

/** Returns the path of a usable Python. Throws a SetupError if there is none. */
export function findPython(): string

/** Returns the environment for node-gyp. Throws a SetupError if there is no compiler. */
export function findCompiler(): Record<string, string>
