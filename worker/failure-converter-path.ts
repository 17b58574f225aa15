import { fileURLToPath } from 'node:url'

/** The module with the failure converter of workers and clients whose payloads are encrypted. */
export const failureConverterPath = fileURLToPath(new URL('failure-converter.cjs', import.meta.url))
