import type { Holder } from '../../artifacts/progress/lease.ts'
import { Context } from '@temporalio/activity'
import type { StepProgress } from '../../experiment/records/run.ts'
import { HandedOverError } from './errors.ts'
import type { HeartbeatDetails, ObservedLease } from './heartbeat-details.ts'

/**
 * The SDK sends at most one heartbeat per second (see worker/worker.ts). More calls only cost time.
 */
const HEARTBEAT_EVERY_MS = 250

/** The progress that heartbeats report. */
type Progress = Omit<HeartbeatDetails, 'attempt' | 'look'>

/**
 * One attempt at a stage, as the Temporal server sees it: the attempt reports its progress in
 * heartbeats, and it is told to stop by a cancellation or by the shutdown of its worker.
 */
export class Attempt {
  private readonly context = Context.current()
  private readonly stopping: AbortSignal
  private progress: Progress = {}
  private lastHeartbeat = -Infinity
  private timer: NodeJS.Timeout | undefined

  /** `stopping` aborts when the worker shuts down. Must be called in an activity. */
  constructor(stopping: AbortSignal) {
    this.stopping = stopping
  }

  /** The name under which this attempt holds the lease of its stage. */
  get holder(): Holder {
    const { workflowExecution, activityId, attempt } = this.context.info
    return { activity: `${workflowExecution?.runId}/${activityId}`, attempt }
  }

  /** The number of this attempt, from 1. */
  get number(): number {
    return this.context.info.attempt
  }

  /** When this attempt was due, in milliseconds of the Temporal server's clock. */
  get scheduledAt(): number {
    return this.context.info.currentAttemptScheduledTimestampMs
  }

  /** The lease state that an earlier attempt observed, if it waited for another run. */
  get observedEarlier(): ObservedLease | undefined {
    return (this.context.info.heartbeatDetails as HeartbeatDetails | undefined)?.look
  }

  /** The last step that was reported. */
  get step(): number | undefined {
    return this.progress.step
  }

  /** Repeats the latest heartbeat at this interval until `stopHeartbeats` is called. */
  startHeartbeats(everyMs: number): void {
    this.timer = setInterval(() => {
      this.sendHeartbeat()
    }, everyMs)
  }

  stopHeartbeats(): void {
    clearInterval(this.timer)
  }

  /** Changes the progress that heartbeats report, without sending one. */
  update(progress: StepProgress & Pick<HeartbeatDetails, 'checkpoint'>): void {
    this.progress = { ...this.progress, ...progress }
  }

  sendHeartbeat(): void {
    this.lastHeartbeat = performance.now()
    this.context.heartbeat({ ...this.progress, attempt: this.number } satisfies HeartbeatDetails)
  }

  /** Sends a heartbeat unless one was sent just before. */
  sendHeartbeatIfDue(): void {
    if (performance.now() - this.lastHeartbeat >= HEARTBEAT_EVERY_MS) this.sendHeartbeat()
  }

  /** Passes the lease state that this attempt observed on to the next one. */
  sendObserved(look: ObservedLease): void {
    this.context.heartbeat({ attempt: this.number, look } satisfies HeartbeatDetails)
  }

  /** Whether the activity was cancelled, or its worker shuts down. */
  get mustStop(): boolean {
    return this.stopping.aborted || this.context.cancellationSignal.aborted
  }

  /**
   * Ends an attempt that must stop: throws a HandedOverError if the worker shuts down, and
   * Temporal's CancelledFailure if the activity was cancelled.
   */
  async stop(): Promise<never> {
    if (this.stopping.aborted)
      throw new HandedOverError('the worker stops; another one goes on with this stage')
    await this.context.cancelled
    throw new Error('unreachable: a cancelled activity rejects')
  }

  warn(message: string, details?: Readonly<Record<string, unknown>>): void {
    this.context.log.warn(message, details)
  }
}
