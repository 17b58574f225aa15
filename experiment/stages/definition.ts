import type { DescribedFigures } from '../records/described-figures.ts'
import type { Measured } from '../records/measured.ts'

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
  'tuning',
  'unlearning',
  'evaluation',
  'shadows',
  'attacks',
  'comparison',
  'relearning',
  'probes',
] as const
export type DisplayGroup = (typeof displayGroups)[number]

export interface StageSettings<Types extends StageTypes> {
  readonly queue: StageQueue
  /** Whether the stage computes with TensorFlow, and so needs the device. */
  readonly onDevice: boolean
  readonly group: DisplayGroup
  /** What the stage does, for the table in docs/concepts/stages.md. */
  readonly about: string
  /**
   * The amount of work in a few words, for the report's list of stages: `90 steps, 126 samples`.
   * Nothing is shown if it is absent.
   */
  readonly work?: (metrics: Types['metrics']) => string
  /** The figures that `zeroshift metrics` lists. */
  readonly figures?: DescribedFigures
  /**
   * The figures that MLflow shows with the model that the stage judges. `gold` are those of the
   * same stage for the gold model of the seed, if that has finished.
   */
  readonly tracked?: (
    metrics: Types['metrics'],
    gold: Types['metrics'] | undefined,
  ) => readonly TrackedFigure[]
}

/** A figure as MLflow shows it. A missing figure is left out. */
export interface TrackedFigure {
  readonly key: string
  readonly figure: Measured
  /** The position in a series. 0 unless given. */
  readonly step?: number
}

export interface StageDefinition<Types extends StageTypes> extends StageSettings<Types> {
  /** Never set: the property only carries the types. */
  readonly types?: Types
}

/** Declares a stage kind. Its name is the name under which `index.ts` lists the definition. */
export function defineStage<Types extends StageTypes>(
  settings: StageSettings<Types>,
): StageDefinition<Types> {
  return settings
}
