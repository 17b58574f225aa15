import type { StageMetrics } from '../experiment/records/manifest.ts'
import type { ApproximateMethodName, MethodSpecOf } from '../experiment/spec/methods.ts'
import type { Layer } from '../experiment/models/model.ts'
import type { TrainingSpec } from '../experiment/spec/spec.ts'
import type { DeviceData } from '../learning/data/device-data.ts'
import type { Host } from '../learning/training/host.ts'
import type { Lora } from '../learning/model/lora.ts'
import type { Weights } from '../learning/model/parameters.ts'

/** What every unlearning method is given. It never sees test samples or the gold model. */
export interface UnlearnContext {
  readonly layers: readonly Layer[]
  /** θ_o. */
  readonly original: Weights
  readonly data: DeviceData
  /** Sample indices of D_r and D_f. */
  readonly retained: Int32Array
  readonly forget: Int32Array
  /** Samples that no model trained on, without those of wholly forgotten classes. Empty unless the data has a share of them. */
  readonly validation: Int32Array
  /** How the original was trained: augmentation, and what the method's own options leave out. */
  readonly training: TrainingSpec
  readonly seed: number
  readonly host?: Host | undefined
}

export interface Unlearned {
  /** θ_u, adapters merged. */
  readonly weights: Weights
  readonly adapter?: { readonly lora: Lora; readonly parameters: Float32Array }
  readonly metrics: StageMetrics['unlearn']
}

/** A method's file exports one of these as `unlearn`. */
export type Method<N extends ApproximateMethodName> = (
  method: MethodSpecOf<N>,
  context: UnlearnContext,
) => Promise<Unlearned>

/** Loads a method by the name that configs use: `unlearning/methods/<name>.ts`. */
export async function loadMethod<N extends ApproximateMethodName>(name: N): Promise<Method<N>> {
  // Not a pattern in the import itself: bundlers would take every method for a part of whoever loads one.
  const file = `./methods/${name}.ts`
  const module = (await import(file)) as { unlearn: Method<N> }
  return module.unlearn
}
