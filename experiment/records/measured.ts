/** A figure, or the reason why there is none. A figure that cannot be computed is never 0. */
export type Measured = { readonly value: number } | { readonly missing: string }

/** A figure, with its 95% interval if it has one, or the reason why there is none. */
export type Estimate =
  | { readonly value: number; readonly interval?: readonly [low: number, high: number] }
  | { readonly missing: string }

/** One point of a training curve. */
export interface CurvePoint {
  /** Optimizer steps done, counted from 1. */
  readonly step: number
  readonly loss: number
  /** Absent if an external program trains. */
  readonly learningRate?: number
  /** The accuracy in percent that an external program has reported. */
  readonly accuracy?: number
}

/** The accuracies in percent of a model in training. */
export interface AccuracyPoint {
  /** Optimizer steps done, counted from 1. */
  readonly step: number
  /** Epochs done. A training may end within one. */
  readonly epoch: number
  readonly training: Measured
  /** Absent if there is no validation sample of a class that the model trains on. */
  readonly validation?: Measured
}

/** The sets on which a model is evaluated. */
export const evaluatedSets = [
  'retained',
  'forget',
  'validation',
  'attackTest',
  'test',
  'forgottenTest',
] as const
export type EvaluatedSet = (typeof evaluatedSets)[number]

/**
 * The sets whose members an attack by shadow models tries to find. Found members of the forget set
 * show that the unlearning left traces; found members of the retained set show what the unlearning
 * exposed.
 */
export const shadowedSets = ['forget', 'retained'] as const
export type ShadowedSet = (typeof shadowedSets)[number]
export const shadowAttacks = ['lira', 'liraOffline', 'rmia'] as const
export type ShadowAttack = (typeof shadowAttacks)[number]
/**
 * The area under the ROC curve, and the true-positive rates at false-positive rates of 1% and of
 * 0.1%.
 */
export const shadowFigures = ['auc', 'tprAt1', 'tprAt01'] as const
export type ShadowFigure = (typeof shadowFigures)[number]
