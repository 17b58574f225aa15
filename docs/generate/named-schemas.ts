import { optimizerSchema, scheduleSchema } from '../../experiment/spec/optimizer.ts'
import { jsonSchemaOf, type NamedSchema } from './fields.ts'

/** Schemas that several options share. Their sections are in docs/reference/configuration.md. */

export const optimizer: NamedSchema = {
  label: 'optimizer',
  link: 'configuration.md#optimizers',
  schema: jsonSchemaOf(optimizerSchema),
}

export const schedule: NamedSchema = {
  label: 'schedule',
  link: 'configuration.md#schedules',
  schema: jsonSchemaOf(scheduleSchema),
}
