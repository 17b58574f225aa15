import type { z } from 'zod'
import type { TargetFunction } from './targets.ts'

/** A shift target of `rfa` that is no part of this repository, with its options. */
export interface TargetDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name of the target in reports: `my-target`. */
  readonly name: string
  /** What samples of the forget set should look like, in one line, with the source. */
  readonly about: string
  /** The schema of the options that a config may give. Values stay JSON. */
  readonly options: Options
  /** Returns t_l, as the built-in targets do. Tensors that it makes live until the method ends. */
  readonly target: TargetFunction<z.output<Options>>
}

/** Returns the definition of a shift target. The types of its options come from its schema. */
export function defineTarget<Options extends z.ZodObject>(
  definition: TargetDefinition<Options>,
): TargetDefinition<Options> {
  return definition
}
