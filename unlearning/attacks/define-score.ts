import type { z } from 'zod'
import type { ScoreFunction } from './scores.ts'

/** A score of attacks that is no part of this repository, with its options. */
export interface ScoreDefinition<Options extends z.ZodObject = z.ZodObject> {
  /** The name of the score in tables, unless the config gives a label: `my-score`. */
  readonly name: string
  /** What the score is, in one line, with its source. */
  readonly about: string
  /** The schema of the options that a config may give. Values stay JSON. */
  readonly options: Options
  /**
   * Returns one number for each sample, [n]. The number of a sample depends on its own logits and
   * label alone, and is finite if the logits are.
   */
  readonly score: ScoreFunction<z.output<Options>>
}

/** Returns the definition of a score. The types of its options come from its schema. */
export function defineScore<Options extends z.ZodObject>(
  definition: ScoreDefinition<Options>,
): ScoreDefinition<Options> {
  return definition
}
