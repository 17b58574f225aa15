import type { Figure, ResultRow } from '../records/results.ts'

/** A value that a run was given, as tables show it. */
export type ShownValue = string | number | boolean | null

/** Something in which runs that stand side by side differ, such as the rank of a method. */
export interface ComparedColumn {
  /** The shortest name that no other column has: `rank`. */
  readonly name: string
  /** Where it stands in a spec: `methods[0].rank`. */
  readonly path: string
}

export interface ComparedRun {
  readonly id: string
  /** One for each column, in their order; null where the run has no such thing. */
  readonly values: readonly ShownValue[]
  /** The page of its own report, relative to the comparison's; absent where there is none. */
  readonly link?: string
  /** The command that reproduces it. */
  readonly command: string
  readonly outcome: ComparedOutcome | { readonly missing: string }
}

/** What a run's report says, as far as it is compared. */
export interface ComparedOutcome {
  /** Of the report's computed part. */
  readonly digest: string
  /** Of the methods, in the spec's order; RTE, which a clock decided, is among their metrics. */
  readonly rows: readonly ResultRow[]
  /** Mean average gap, in points, between gold models of one seed. */
  readonly floor: Figure
  /** Wall seconds of all its stages, kept ones included. */
  readonly seconds: number
  /** Stages that failed; their figures are missing from the rows, with the reason. */
  readonly failed: readonly string[]
}

/** Runs side by side: the cells of a sweep, or any others. */
export interface Comparison {
  /** A sweep's id; absent where runs were named one by one. */
  readonly sweep?: string
  /** The command that makes it again. */
  readonly command: string
  readonly columns: readonly ComparedColumn[]
  /** In the order in which they were asked for. */
  readonly runs: readonly ComparedRun[]
  /** Early stopping, where there was some. */
  readonly halving?: ComparedHalving
}

export interface ComparedHalving {
  /** A metric of ResultRow; lower is better. */
  readonly metric: string
  readonly factor: number
  /** What the runs were given more of: a path, and its value at each rung, the last of which is the whole. */
  readonly resource: string
  readonly rungs: readonly number[]
  /** Every decision, rung by rung, in the order of the cells. */
  readonly decisions: readonly HalvingDecision[]
}

export interface HalvingDecision {
  /** The cell's number, from 0, and its values. */
  readonly cell: number
  readonly values: readonly ShownValue[]
  /** From 0. */
  readonly rung: number
  readonly run: string
  readonly metric: Figure
  /** `ended`: at the last rung, with nothing left to be decided. */
  readonly decision: 'promoted' | 'stopped' | 'ended'
}
