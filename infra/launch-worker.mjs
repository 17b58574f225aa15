/**
 * Runs worker/main.ts, a worker as the child process of a stack. It gets the arguments of this
 * script.
 */
import { load } from './compiled.mjs'
import { useNative } from './native.mjs'

// The stacks of errors then name the sources.
process.setSourceMapsEnabled(true)
useNative()
await load('worker/main.ts')
