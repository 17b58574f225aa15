import type { StepProgress } from '../../experiment/records/run.ts'

/** What a long computation needs in order to go on as if it had never stopped. */
export interface Snapshot {
  /** Steps done. */
  readonly step: number
  readonly vectors: Readonly<Record<string, Float32Array>>
  /** Plain JSON: curves, figures. */
  readonly notes: Readonly<Record<string, unknown>>
}

/** Whoever runs a long computation. What goes on from a snapshot ends in the same bytes as what never stopped. */
export interface Host {
  /** Where an earlier attempt left off. */
  readonly snapshot?: Snapshot | undefined
  /** Into how many parts the device's memory makes it cut a batch; 1 unless given. See in-parts.ts. */
  readonly parts?: number
  /**
   * Awaited between steps: progress goes out, the event loop breathes, a cancellation throws. `take` is called where a
   * snapshot is due; without it the computation cannot go on from this point.
   */
  step(progress: StepProgress, take?: () => Promise<Snapshot>): Promise<void>
}
