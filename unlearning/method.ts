import type { StageMetrics } from '../experiment/stages/stage.ts'
import type { Layer } from '../experiment/models/layers.ts'
import type { ApproximateMethodName, MethodSpecOf } from '../experiment/spec/methods.ts'
import type { TrainingSpec } from '../experiment/spec/training.ts'
import type { DeviceData } from '../learning/data/device-data.ts'
import type { Host } from '../learning/training/host.ts'
import type { Lora } from '../learning/model/lora.ts'
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
  readonly host?: Host | undefined
}

export interface Unlearned {
  /** θ_u, the weights after unlearning with the adapter merged. */
  readonly weights: Weights
  readonly adapter?: { readonly lora: Lora; readonly parameters: Float32Array }
  readonly metrics: StageMetrics['unlearn'] &
    Required<Pick<StageMetrics['unlearn'], 'trainable' | 'samplesUsed'>>
}

/** An unlearning method. Each file in `methods/` exports one as `unlearn`. */
export type Method<N extends ApproximateMethodName> = (
  method: MethodSpecOf<N>,
  context: UnlearnContext,
) => Promise<Unlearned>

/** Loads a method by its name in configs, from `unlearning/methods/<name>.ts`. */
export async function loadMethod<N extends ApproximateMethodName>(name: N): Promise<Method<N>> {
  // With a pattern in the import itself, the digest of each method's code would include every
  // method. The build of commands and workers includes them: infra/compiled.mjs writes the pattern.
  const file = `./methods/${name}.ts`
  const module = (await import(file)) as { unlearn: Method<N> }
  return module.unlearn
}
