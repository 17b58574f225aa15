import { optimizerSchema, scheduleSchema } from './optimizer.ts'
import { jsonSchemaOf, type NamedSchema } from './option-list.ts'
import { trainingSchema } from './training.ts'

/** Schemas that several options share. Their links are relative to docs/reference. */

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

/** The training of gold has the options of the section `training`. */
export const training: NamedSchema = {
  label: 'training',
  link: 'configuration.md#experiments',
  schema: jsonSchemaOf(trainingSchema),
}
