import { optimizerSchema, scheduleSchema } from '../../experiment/spec/optimizer.ts'
import { trainingSchema } from '../../experiment/spec/training.ts'
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

/** The training of gold has the options of the section `training`. */
export const training: NamedSchema = {
  label: 'training',
  link: 'configuration.md#experiments',
  schema: jsonSchemaOf(trainingSchema),
}
