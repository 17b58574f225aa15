import type { Figure, ResultRow } from '../records/results.ts'

/** A value of a spec as tables show it. */
export type ShownValue = string | number | boolean | null

/** A property in which compared runs differ, such as the rank of a method. */
export interface ComparedColumn {
  /** The shortest unique name, such as `rank`. */
  readonly name: string
  /** The path in the spec, such as `methods[0].rank`. */
  readonly path: string
}

export interface ComparedRun {
  readonly id: string
  /** One value for each column, in order. Null if the run lacks the property. */
  readonly values: readonly ShownValue[]
  /**
   * The page of the run's report, relative to the page of the comparison. Absent if there is none.
   */
  readonly link?: string
  /** The command that reproduces the run. */
  readonly command: string
  readonly outcome: ComparedOutcome | { readonly missing: string }
}

/** The part of a run's report that is compared. */
export interface ComparedOutcome {
  /** The digest of the report's computed part. */
  readonly digest: string
  /**
   * The rows of the methods, in the order of the spec. Their metrics include RTE, which depends on
   * the clock.
   */
  readonly rows: readonly ResultRow[]
  /** The mean average gap, in points, between gold models of one seed. */
  readonly floor: Figure
  /** Wall seconds of all stages, including those found in the store. */
  readonly seconds: number
  /** Stages that failed. Their figures are missing from the rows, with the reasons. */
  readonly failed: readonly string[]
}

/** A comparison of runs: the cells of a sweep, or runs that were named. */
export interface Comparison {
  /** The id of the sweep. Absent if the runs were named one by one. */
  readonly sweep?: string
  /** The command that makes the comparison again. */
  readonly command: string
  readonly columns: readonly ComparedColumn[]
  /** In the order of the request. */
  readonly runs: readonly ComparedRun[]
  /** Present if the sweep stopped runs early. */
  readonly halving?: ComparedHalving
}

export interface ComparedHalving {
  /** A metric of ResultRow. Lower is better. */
  readonly metric: string
  readonly factor: number
  /**
   * The path whose value grows, and its value at each rung. The last rung is the whole experiment.
   */
  readonly resource: string
  readonly rungs: readonly number[]
  /** Every decision: rung by rung, in the order of the cells. */
  readonly decisions: readonly HalvingDecision[]
}

export interface HalvingDecision {
  /** The number of the cell, from 0, and its values. */
  readonly cell: number
  readonly values: readonly ShownValue[]
  /** From 0. */
  readonly rung: number
  readonly run: string
  readonly metric: Figure
  /** `ended`: the run was at the last rung, where nothing is decided. */
  readonly decision: 'promoted' | 'stopped' | 'ended'
}
