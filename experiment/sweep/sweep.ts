import type { SearchAttributePair } from '@temporalio/common'
import type { ComparedColumn, ShownValue } from './comparison.ts'
import type { Settings } from '../spec/spec.ts'
import type { Judgement } from './halving.ts'
import type { ResultRow } from '../records/results.ts'
import type { RunEnd, RunResult } from '../records/run.ts'
import type { HalvingSpec, SweepSpace } from './space.ts'

/** What was asked for: many experiments, which share what they can. */
export interface SweepRecord {
  readonly id: string
  readonly name: string
  /** The config's path and overrides as they were given. */
  readonly command: { readonly config: string; readonly overrides: readonly string[] }
  readonly space: SweepSpace
  readonly columns: readonly ComparedColumn[]
  readonly cells: readonly Cell[]
  /** An MLflow server, where its runs are tracked. */
  readonly tracking?: NonNullable<Settings['tracking']>
  /** Cells that did not come through when it last ran; set once it has. */
  readonly failures?: readonly CellFailure[]
}

/** One point of the search space. */
export interface Cell {
  /** One for each column. */
  readonly values: readonly ShownValue[]
  /** Ids of its runs: one a rung, the last of which is the whole experiment. */
  readonly runs: readonly string[]
}

/** What is run: of each cell, the runs' ids, one a rung. */
export interface SweepCells {
  readonly cells: readonly (readonly string[])[]
  readonly rungs: number
  /** Of halving; means nothing where there is one rung. */
  readonly factor: number
}

export interface SweepInput {
  readonly id: string
  readonly store: string
  readonly maxParallel: number
  /** Cells that failed before and are left as they are; absent where all are tried that are not whole. */
  readonly leave?: readonly CellFailure[]
  /** The server knows Zeroshift's search attributes. */
  readonly searchable?: boolean
  /** What an execution before this one left. */
  readonly state?: SweepState
  /** Events of history after which it continues as new; Temporal's own suggestion unless given. */
  readonly historyEvents?: number
}

/** What is known of the cells, small enough for one payload. */
export interface SweepState {
  readonly paused: boolean
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** A letter for each run, cell by cell and rung by rung. */
  readonly runs: string
  /** What a run was judged by, by its place in `runs`; absent where nothing is decided. */
  readonly judged?: readonly (readonly [place: number, value: number])[]
  readonly failures: readonly CellFailure[]
}

/** `.` not begun, `r` running, `j` going on as a run of its own, `d` done, `i` done but for some stages, `c` found done, `f` failed. */
export type RunLetter = '.' | 'r' | 'j' | 'd' | 'i' | 'c' | 'f'

export interface CellFailure {
  /** From 0. */
  readonly cell: number
  readonly run: string
  readonly reason: string
}

/** What a person sees of a sweep; the same structure for the CLI, Temporal queries and MLflow. */
export interface SweepProgress {
  readonly id: string
  readonly paused?: boolean
  readonly maxParallel: number
  /** Milliseconds since 1970. */
  readonly startedAt: number
  /** 1 where nothing is stopped early. */
  readonly rungs: number
  /** Cells, of each kind. */
  readonly cells: number
  readonly done: number
  /** Of those done: nothing had to be computed. */
  readonly cached: number
  /** Of those done: some of their stages failed. */
  readonly incomplete: number
  /** Early stopping left them out. */
  readonly stopped: number
  /** Runs under way. */
  readonly running: readonly RunningCell[]
  readonly failures: readonly CellFailure[]
}

export interface RunningCell {
  readonly cell: number
  readonly rung: number
  readonly run: string
}

/** How a sweep ended. */
export interface SweepEnd extends RunEnd {
  /** What had become of its cells; absent where nobody knows. */
  readonly counts?: SweepCounts
}

export interface SweepCounts extends Pick<
  SweepProgress,
  'cells' | 'done' | 'cached' | 'incomplete' | 'stopped'
> {
  readonly failed: number
}

/** What the workflow answers. */
export interface SweepResult extends Pick<
  SweepProgress,
  'id' | 'cells' | 'done' | 'cached' | 'incomplete' | 'stopped' | 'failures'
> {
  readonly report: string
  readonly digest: string
}

/** What the store has of a run. */
export type Settled =
  /** All of it; `incomplete`: but for stages that failed. */
  | { readonly results: readonly ResultRow[]; readonly incomplete: boolean }
  /** Something is to be computed; what Temporal is to find it by. */
  | { readonly attributes: SearchAttributePair[] }

/** What is asked of a run that is a cell. */
export interface CellInput {
  /** The run's id; what it is stands in the store. */
  readonly cell: string
  readonly store: string
  readonly sweep: string
}

/** How one of its runs ended. */
export type RunEnding =
  { readonly result: Pick<RunResult, 'failed' | 'results'> } | { readonly error: string }

/** What can be changed of a sweep that is going on. */
export interface SweepChange {
  readonly maxParallel?: number
  /** Its record has more cells now. */
  readonly extended?: true
}

/** What a run is judged by: the figure of the method of that label, or of the only one. */
export function judgementOf(rows: readonly ResultRow[], halving: HalvingSpec | undefined): Judgement {
  if (!halving) return 'none'
  const row = rows.find(({ label, method }) =>
    halving.of === undefined ? method !== 'original' && method !== 'retrain' : label === halving.of,
  )
  const figure = row?.metrics[halving.metric]
  return figure && 'value' in figure ? figure.value : 'none'
}
