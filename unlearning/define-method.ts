import type { z } from 'zod'
import type { UnlearnFunction } from './method.ts'

/** An unlearning method with its options: one of this repository, or a plug-in. */
export interface MethodDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name of the row in tables, unless the config gives a label: `my-method`. */
  readonly name: string
  /** What the method does, in one line, with its source. */
  readonly about: string
  /** The schema of the options that a config may give. Values stay JSON. */
  readonly options: Options
  /**
   * Whether the method trains on samples under the label of another class. A config whose data has
   * one class is then refused. False unless given.
   */
  readonly relabels?: boolean
  readonly unlearn: UnlearnFunction<z.output<Options>>
}

/** Returns the definition of a method. The types of its options come from its schema. */
export function defineMethod<Options extends z.ZodObject>(
  definition: MethodDefinition<Options>,
): MethodDefinition<Options> {
  return definition
}
