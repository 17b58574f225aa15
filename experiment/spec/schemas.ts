import { z } from 'zod'
import { count } from './numbers.ts'
import { optimizerSchema } from './optimizer.ts'

/**
 * The schemas from which a stage kind builds the schema of its own section of a config. They are
 * passed as an argument, because workflows import the definitions of stage kinds: importing zod
 * there would make the bundle of the workflows half as large again.
 */
export const schemas = { z, count, optimizer: optimizerSchema }
export type Schemas = typeof schemas
