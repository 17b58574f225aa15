import type { StepProgress } from '../../experiment/records/run.ts'

/** The state from which a long computation continues as if it had never stopped. */
export interface Snapshot {
  /** The number of steps that were taken. */
  readonly step: number
  readonly vectors: Readonly<Record<string, Float32Array>>
  /** Plain JSON, such as curves and figures. */
  readonly notes: Readonly<Record<string, unknown>>
}

/**
 * The environment of a long computation. A computation that continues from a snapshot ends with the
 * same bytes as one that never stopped.
 */
export interface Host {
  /** The last snapshot of an earlier attempt. */
  readonly snapshot?: Snapshot | undefined
  /**
   * The number of micro-batches into which a batch is divided because of the device's memory; 1
   * unless given. See micro-batches.ts.
   */
  readonly microBatches?: number
  /**
   * Awaited between steps. It reports progress, lets the event loop run and throws on cancellation.
   * `take` is called when a snapshot is due. Without `take`, the computation cannot continue from
   * this point.
   */
  step(progress: StepProgress, take?: () => Promise<Snapshot>): Promise<void>
}
