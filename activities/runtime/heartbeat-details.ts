import type { StepProgress } from '../../experiment/records/run.ts'

/**
 * The lease state that an attempt observed while another run held the stage. It is passed to the
 * next attempt in the heartbeat details, which the SDK sends along with the attempt's failure. If
 * the server has given the attempt up before it fails, these details are lost. This only costs
 * time: the server then passes on the details of an earlier attempt, or none, and the next attempt
 * starts to observe the lease anew.
 */
export interface ObservedLease {
  /** The state of the lease as text. It changes whenever the holder renews the lease. */
  readonly sight: string
  /**
   * The scheduled time of the first attempt that found the state unchanged, in milliseconds of the
   * Temporal server's clock, the only clock that attempts on several machines share. Absent in the
   * details of the attempt that observed this state first.
   */
  readonly since?: number
}

/**
 * The details of a heartbeat: the progress to display, and the lease state that a waiting attempt
 * observed. Everything else that the next attempt needs is in the store (Lease, Checkpoints),
 * because heartbeats are unreliable: the server rejects those of an attempt that was blocked for
 * longer than its heartbeat timeout. Workers and commands of other versions read these details, so
 * that the names of the fields must not change.
 */
export type HeartbeatDetails = StepProgress & {
  /**
   * The attempt that sent the details. The server shows them until the next attempt sends its own.
   */
  readonly attempt: number
  /** The path of the newest checkpoint in the store. */
  readonly checkpoint?: string
  /** Present only if the attempt computes nothing because it waits for another run. */
  readonly look?: ObservedLease
}
