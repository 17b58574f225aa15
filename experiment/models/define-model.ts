import type { z } from 'zod'
import type { Layer, Shape } from './layers.ts'

/** A model that is no part of this repository, with its options. */
export interface ModelDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name of the model in reports: `my-model`. */
  readonly name: string
  /** The architecture, in one line, with its source. */
  readonly about: string
  /** The schema of the options that a config may give. Values stay JSON. */
  readonly options: Options
  /**
   * The layers in forward order, or a function that returns them for a data set. The last one is
   * linear and has an output for each class. The function is executed by the command that starts a
   * run, and the layers are recorded.
   */
  readonly layers: readonly Layer[] | ((input: ModelInput, options: z.output<Options>) => readonly Layer[])
}

/** The data that a model is for. */
export interface ModelInput {
  readonly shape: Shape
  /** The number of classes. */
  readonly classes: number
}

/** Returns the definition of a model. The types of its options come from its schema. */
export function defineModel<Options extends z.ZodObject>(
  definition: ModelDefinition<Options>,
): ModelDefinition<Options> {
  return definition
}
