import type { RunProgress, RunRecord } from '../../experiment/records/run.ts'
import type { RunningCell, SweepProgress } from '../../experiment/sweep/sweep.ts'
import type { ControlAction, ControlAnswer, ControlRequest, StoreView } from '../contract.ts'

/** A run or a sweep as a Temporal server lists it. */
export interface LiveRun {
  readonly id: string
  readonly kind: 'run' | 'sweep'
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled'
  readonly startedAt: string
  /** Until now, or until the end. */
  readonly seconds: number
  /** This property and the following ones are absent if the server does not know them. */
  readonly dataset?: string
  readonly methods?: readonly string[]
  readonly sweep?: string
}

export interface LiveSweep {
  readonly progress: SweepProgress
  /** The first running cells. `progress` is undefined if a run did not answer. */
  readonly running: readonly (RunningCell & { readonly progress?: RunProgress | undefined })[]
}

/** A Temporal server that answers. Every function rejects if it does not answer any more. */
export interface LiveServer {
  readonly address: string
  /**
   * Returns the runs and sweeps, newest first. With `since`, in milliseconds since 1970, it returns
   * those that are running, and those that have ended since then.
   */
  readonly list: (since?: number) => Promise<readonly LiveRun[]>
  /** The progress of a running run. Undefined if it does not answer, because no worker has it. */
  readonly run: (id: string) => Promise<RunProgress | undefined>
  readonly sweep: (id: string) => Promise<LiveSweep | undefined>
  /** Why a run or a sweep has failed. */
  readonly failure: (id: string) => Promise<string | undefined>
}

/** What the server has done by others: the functions of the command line. */
export interface Operations {
  /** The Temporal server that answers now. Undefined if there is none. */
  readonly live: () => Promise<LiveServer | undefined>
  /** Estimates the wall seconds of a run's stages from earlier ones, by their keys. */
  readonly estimate: (run: RunRecord) => Promise<ReadonlyMap<string, number>>
  /** The result of the last `zeroshift check` of the store. Undefined if none is known. */
  readonly lastCheck: () => Promise<StoreView['check']>
  /** Changes a run or a sweep. Absent if the page may only read. */
  readonly control?: (id: string, action: ControlAction, request: ControlRequest) => Promise<ControlAnswer>
}
