/** The first of the names that is an executable file on PATH. */
export function which(...names: (string | undefined)[]): string | undefined

/** The path of a Python that can be used; throws a SetupError when there is none. */
export function findPython(): string

/** The environment for node-gyp; throws a SetupError when there is no compiler. */
export function findCompiler(): Record<string, string>
