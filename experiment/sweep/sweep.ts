import type { SearchAttributePair } from '@temporalio/common'
import type { ComparedColumn, ShownValue } from './comparison.ts'
import type { Settings } from '../spec/settings.ts'
import type { Objective } from './halving.ts'
import type { ResultRow } from '../records/results.ts'
import type { RunEnd, RunResult } from '../records/run.ts'
import type { HalvingSpec, SweepSpace } from './space.ts'

/** The request for a sweep: many experiments, which share stages. */
export interface SweepRecord {
  readonly id: string
  readonly name: string
  /** The config's path and the overrides as given. */
  readonly command: { readonly config: string; readonly overrides: readonly string[] }
  readonly space: SweepSpace
  readonly columns: readonly ComparedColumn[]
  readonly cells: readonly Cell[]
  /** The MLflow server. Present if the runs are tracked. */
  readonly tracking?: NonNullable<Settings['tracking']>
  /** Cells that failed in the last execution. Absent before the first one ends. */
  readonly failures?: readonly CellFailure[]
}

/** One point of the search space. */
export interface Cell {
  /** One value for each column. */
  readonly values: readonly ShownValue[]
  /** The ids of its runs: one per rung. The last one is the whole experiment. */
  readonly runs: readonly string[]
}

/** The runs of a sweep. */
export interface SweepCells {
  /** For each cell, the ids of its runs, one per rung. */
  readonly cells: readonly (readonly string[])[]
  readonly rungs: number
  /** The factor of halving. Not used if there is one rung. */
  readonly factor: number
}

export interface SweepInput {
  readonly id: string
  readonly store: string
  readonly maxParallel: number
  /** Cells that failed before and are not tried again. Absent if every incomplete cell is tried. */
  readonly leave?: readonly CellFailure[]
  /** Whether the server has Zeroshift's search attributes. */
  readonly searchable?: boolean
  /** The state of the execution before this one. */
  readonly state?: SweepState
  /**
   * The number of history events after which the workflow continues as new. Temporal's suggestion
   * unless given.
   */
  readonly historyEvents?: number
}

/** The state of all cells, small enough for one payload. */
export interface SweepState {
  readonly paused: boolean
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** One status character for each run, cell by cell and rung by rung. */
  readonly runs: string
  /** Objectives of the evaluated runs, by position in `runs`. Absent if nothing is decided. */
  readonly judged?: readonly (readonly [place: number, value: number])[]
  readonly failures: readonly CellFailure[]
}

/**
 * The status of a run: `.` not started, `r` started by the sweep and running, `j` running
 * independently of the sweep, `d` done, `i` done except for some stages, `c` found complete in the
 * store, `f` failed.
 */
export type RunStatus = '.' | 'r' | 'j' | 'd' | 'i' | 'c' | 'f'

export interface CellFailure {
  /** The number of the cell, from 0. */
  readonly cell: number
  readonly run: string
  readonly reason: string
}

/** The progress of a sweep, for the CLI, Temporal queries and MLflow. */
export interface SweepProgress {
  readonly id: string
  readonly paused?: boolean
  readonly maxParallel: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** 1 if no run is stopped early. */
  readonly rungs: number
  /** Numbers of cells: all, and by state. */
  readonly cells: number
  readonly done: number
  /** Done cells for which nothing had to be computed. */
  readonly cached: number
  /** Done cells with failed stages. */
  readonly incomplete: number
  /** Cells that halving stopped. */
  readonly stopped: number
  /** Runs that are running. */
  readonly running: readonly RunningCell[]
  readonly failures: readonly CellFailure[]
}

export interface RunningCell {
  readonly cell: number
  readonly rung: number
  readonly run: string
}

/** The end of a sweep. */
export interface SweepEnd extends RunEnd {
  /** The states of its cells. Absent if they are unknown. */
  readonly counts?: SweepCounts
}

export interface SweepCounts extends Pick<
  SweepProgress,
  'cells' | 'done' | 'cached' | 'incomplete' | 'stopped'
> {
  readonly failed: number
}

/** The result of the workflow of a sweep. */
export interface SweepResult extends Pick<
  SweepProgress,
  'id' | 'cells' | 'done' | 'cached' | 'incomplete' | 'stopped' | 'failures'
> {
  readonly report: string
  readonly digest: string
}

/** The state of a run in the store. */
export type Settled =
  /** The run is complete, except for failed stages if `incomplete`. */
  | { readonly results: readonly ResultRow[]; readonly incomplete: boolean }
  /** The run has stages to compute. `attributes`: the search attributes for its workflow. */
  | { readonly attributes: SearchAttributePair[] }

/** The input of the workflow of a run that is a cell of a sweep. */
export interface CellInput {
  /** The id of the run, whose record is in the store. */
  readonly cell: string
  readonly store: string
  readonly sweep: string
}

/** The end of one of a sweep's runs. */
export type RunEnding =
  { readonly result: Pick<RunResult, 'failed' | 'results'> } | { readonly error: string }

/** A change of a running sweep. */
export interface SweepChange {
  readonly maxParallel?: number
  /** The record has more cells now. */
  readonly extended?: true
}

/**
 * The objective of a run: that of the method that `halving.of` names, or of the only
 * method.
 */
export function objectiveOf(rows: readonly ResultRow[], halving: HalvingSpec | undefined): Objective {
  if (!halving) return 'none'
  const row = rows.find(({ label, method }) =>
    halving.of === undefined ? method !== 'original' && method !== 'retrain' : label === halving.of,
  )
  const figure = row?.metrics[halving.metric]
  return figure && 'value' in figure ? figure.value : 'none'
}
