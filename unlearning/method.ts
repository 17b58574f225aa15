import type { StageMetrics } from '../experiment/stages/stage.ts'
import type { Layer } from '../experiment/models/layers.ts'
import type { BuiltInMethodName, MethodSpecOf } from '../experiment/spec/methods.ts'
import type { TrainingSpec } from '../experiment/spec/training.ts'
import type { DeviceData } from '../learning/data/device-data.ts'
import type { LateSamples } from '../learning/data/training-batches.ts'
import type { Host, Snapshot } from '../learning/training/host.ts'
import type { Lora } from '../learning/model/lora.ts'
import type { TargetFunction } from './methods/rfa/targets.ts'
import type { Weights } from '../learning/model/parameters.ts'

/** The inputs of an unlearning method. A method sees neither test samples nor the gold model. */
export interface UnlearnContext {
  readonly layers: readonly Layer[]
  /** θ_o, the weights of the original model. */
  readonly original: Weights
  readonly data: DeviceData
  /** Sample indices of D_r and D_f. */
  readonly retained: Int32Array
  readonly forget: Int32Array
  /**
   * Sample indices that no model trained on, without those of wholly forgotten classes. Empty
   * unless the data has a validation share.
   */
  readonly validation: Int32Array
  /**
   * The training of the original model: its augmentation, and the values of options that the method
   * leaves out.
   */
  readonly training: TrainingSpec
  readonly seed: number
  /** The training of the original. Present if it kept states. */
  readonly trained?: KeptTraining | undefined
  readonly host?: Host | undefined
  /**
   * Does work whose time is not counted: measurements, and work that precedes every deletion, such
   * as the training of models that no forgotten sample influences.
   */
  readonly untimed?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined
  /** The shift target of `rfa`. Present if a plug-in defines it. */
  readonly target?: TargetFunction<void> | undefined
}

/** What a training kept, so that parts of it can be repeated. */
export interface KeptTraining {
  readonly seed: number
  readonly late: LateSamples | undefined
  /** Reads the weights before the first step. */
  readonly initial: () => Promise<Weights>
  /** In the order of their steps. */
  readonly states: readonly KeptState[]
}

/** The state of a training after a number of steps. */
export interface KeptState {
  readonly step: number
  readonly read: () => Promise<Snapshot>
}

export interface Unlearned {
  /** θ_u, the weights after unlearning with the adapter merged. */
  readonly weights: Weights
  readonly adapter?: { readonly lora: Lora; readonly parameters: Float32Array }
  readonly metrics: StageMetrics['unlearn'] &
    Required<Pick<StageMetrics['unlearn'], 'trainable' | 'samplesUsed'>>
}

/** Several unlearned models, whose probabilities are averaged. */
export interface UnlearnedEnsemble {
  readonly models: readonly Weights[]
  readonly metrics: Unlearned['metrics']
}

/** Computes the unlearned model from the original, with options of a method. */
export type UnlearnFunction<Options> = (context: UnlearnContext, options: Options) => Promise<Unlearned>

/**
 * An unlearning method. A file in `methods/` exports one as `unlearn`, or a definition as plug-ins
 * do.
 */
export type Method<N extends BuiltInMethodName> = (
  method: MethodSpecOf<N>,
  context: UnlearnContext,
) => Promise<N extends 'sisa' ? UnlearnedEnsemble : Unlearned>

/** Loads a method by its name in configs, from `unlearning/methods/<name>.ts`. */
export async function loadMethod<N extends BuiltInMethodName>(name: N): Promise<Method<N>> {
  // With a pattern in the import itself, the digest of each method's code would include every
  // method. The build of commands and workers includes them: infra/compiled.mjs writes the pattern.
  const file = `./methods/${name}.ts`
  const module = (await import(file)) as MethodModule<N>
  if ('unlearn' in module) return module.unlearn
  const { unlearn } = module.default
  return (method, context) => unlearn(context, method)
}

type MethodModule<N extends BuiltInMethodName> =
  | { readonly unlearn: Method<N> }
  | {
      readonly default: {
        readonly unlearn: (context: UnlearnContext, options: MethodSpecOf<N>) => ReturnType<Method<N>>
      }
    }
