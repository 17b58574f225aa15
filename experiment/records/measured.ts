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
  readonly learningRate: number
}
