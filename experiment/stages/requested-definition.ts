import type { z } from 'zod'
import type { Layer } from '../models/layers.ts'
import type { DescribedFigures } from '../records/described-figures.ts'
import type { ModelSpec } from '../spec/model.ts'
import type { Report } from '../spec/problems.ts'
import type { Schemas } from '../spec/schemas.ts'
import type { TrainingSpec } from '../spec/training.ts'
import type { StageDefinition, StageSettings, StageTypes, TrackedFigure } from './definition.ts'

/**
 * The declaration of a stage kind that judges every model if the config has a section with the
 * kind's name. The stages of these kinds run after everything but the report.
 */

export interface RequestedTypes extends StageTypes {
  /** The options of the section, with the defaults filled in. */
  readonly options: object
}

/** A stage by its kind and key. */
export interface Ref<Kind extends string> {
  readonly kind: Kind
  readonly key: string
}

type RefsTo<Kinds> = { readonly [Name in keyof Kinds]: Ref<Extract<Kinds[Name], string>> }

/** One model of one seed, and what a stage that judges it may depend on. */
export interface JudgedModel {
  /**
   * The architecture of the model, and the training of the original. Absent if the weights of the
   * model are not known, but its outputs alone.
   */
  readonly trained?: { readonly model: ModelSpec; readonly training: TrainingSpec }
  /** All seeds of an experiment share the seed of the split. */
  readonly seeds: { readonly split: number; readonly unlearning: number }
  /**
   * The stages that may be inputs. `model` makes the judged model, and `evaluation` computes its
   * logits.
   */
  readonly inputs: {
    readonly dataset: Ref<'dataset'>
    readonly split: Ref<'split'>
    readonly model: Ref<'train' | 'unlearn'>
    readonly evaluation: Ref<'evaluate'>
    /** Both are absent in an experiment without gold. */
    readonly goldModel?: Ref<'train'>
    readonly goldEvaluation?: Ref<'evaluate'>
    readonly originalEvaluation: Ref<'evaluate'>
    /** Absent if there are no shadow models. */
    readonly pool?: Ref<'pool'>
  }
}

/** The inputs of a stage that reads the weights of a model, and those of gold if there is gold. */
export type WeightInputs = Readonly<{
  dataset: 'dataset'
  split: 'split'
  model: 'train' | 'unlearn'
  /** Absent in an experiment without gold. */
  goldModel?: 'train'
}>

/** Selects these inputs. */
export function weightInputs({
  dataset,
  split,
  model,
  goldModel,
}: JudgedModel['inputs']): RefsTo<WeightInputs> {
  return { dataset, split, model, ...(goldModel && { goldModel }) }
}

/** Work, figures and tracking are required, unlike those of other kinds. */
export interface RequestedSettings<Types extends RequestedTypes> extends StageSettings<Types> {
  readonly work: (metrics: Types['metrics']) => string
  readonly figures: DescribedFigures
  readonly tracked: (
    metrics: Types['metrics'],
    gold: Types['metrics'] | undefined,
  ) => readonly TrackedFigure[]
  /** The name of the section in the report's description of the run. */
  readonly title: string
  /**
   * Returns the schema of the section. Its description is that of the section. The section is
   * optional without a default, so that it changes no key of an experiment that lacks it.
   */
  readonly section: (schemas: Schemas) => z.ZodType<Types['options']>
  /** Options with which the stage computes for a few seconds, for tests. */
  readonly example: Partial<Types['options']>
  /** Reports options that do not suit the model's layers. Paths are relative to the section. */
  readonly check?: (options: Types['options'], layers: readonly Layer[], report: Report) => void
  /** The stage reads the weights of the model. Models of which only outputs are known lack it. */
  readonly needsWeights?: true
  /** Another section of the config without which this one is refused. */
  readonly needs?: 'shadow'
  /**
   * Returns the parameters and the inputs of the stage that judges one model. Undefined if an input
   * is absent, which is so without the section, the gold model or the weights that the kind needs.
   */
  readonly stage: (
    options: Types['options'],
    judged: JudgedModel,
  ) => { readonly params: Types['params']; readonly inputs: RefsTo<Types['inputs']> } | undefined
}

export type RequestedDefinition<Types extends RequestedTypes> = StageDefinition<Types> &
  RequestedSettings<Types>

/** Declares a stage kind that a section of the config requests. */
export function defineRequestedStage<Types extends RequestedTypes>(
  settings: RequestedSettings<Types>,
): RequestedDefinition<Types> {
  return settings
}
