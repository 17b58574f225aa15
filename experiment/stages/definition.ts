/**
 * The declaration of a stage kind. Each kind has a file in this folder, named after it, and one
 * line in `index.ts`. Everything here is pure, so that workflows may import it.
 */

/** The types of a stage kind. */
export interface StageTypes {
  /** The options that decide the result. They are part of the stage's key. */
  readonly params: object
  /**
   * The kinds of stage that may stand behind each input, by input name: `model: 'train' |
   * 'unlearn'`. An optional property is an input that some stages of the kind lack.
   */
  readonly inputs: Readonly<Record<string, string | undefined>>
  /** The figures that the stage writes into its manifest. */
  readonly metrics: object
}

/**
 * Temporal's task queues, by name. A worker runs one activity of `zeroshift-train` at a time, for
 * up to 30 days, and several of `zeroshift`, for up to one day.
 */
export type StageQueue = 'zeroshift' | 'zeroshift-train'

/** The headings under which the progress display lists stages, in its order. */
export const displayGroups = [
  'data',
  'models',
  'unlearning',
  'evaluation',
  'shadows',
  'attacks',
  'comparison',
  'relearning',
  'probes',
] as const
export type DisplayGroup = (typeof displayGroups)[number]

export interface StageSettings {
  readonly queue: StageQueue
  /** Whether the stage computes with TensorFlow, and so needs the device. */
  readonly onDevice: boolean
  readonly group: DisplayGroup
}

export interface StageDefinition<Types extends StageTypes> extends StageSettings {
  /** Never set: the property only carries the types. */
  readonly types?: Types
}

/** Declares a stage kind. Its name is the name under which `index.ts` lists the definition. */
export function defineStage<Types extends StageTypes>(settings: StageSettings): StageDefinition<Types> {
  return settings
}
