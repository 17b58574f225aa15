import { Lease, LeaseLostError, type Holder } from '../../artifacts/progress/lease.ts'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import type { StageRef } from '../../experiment/stages/stage.ts'
import type { ObservedLease } from './heartbeat-details.ts'

/** An attempt that waits for another run checks often at first, then less and less often. */
const FIRST_WAIT_MS = 250
const WAIT_GROWS_BY = 1.1
/** How often a holder renews its lease. */
const RENEWALS_PER_HEARTBEAT = 3
/** A holder that has not renewed its lease for this many heartbeats counts as dead. */
const HEARTBEATS_UNTIL_DEAD = 2

export interface TakeLeaseOptions {
  readonly artifacts: Artifacts
  readonly stage: StageRef
  /** The attempt that takes the lease. */
  readonly holder: Holder
  readonly heartbeatSeconds: number
  /** When this attempt was due, in milliseconds of the Temporal server's clock. */
  readonly now: number
  /** The lease state that an earlier attempt observed. */
  readonly observed?: ObservedLease | undefined
}

/**
 * Takes a stage's lease, unless another run holds it and may be alive. Then this returns what the
 * attempt observed, for the next attempt, which may run on any worker: that one takes the lease
 * once it has not been renewed for two heartbeats.
 */
export async function takeLease({
  artifacts,
  stage,
  holder,
  heartbeatSeconds,
  now,
  observed,
}: TakeLeaseOptions): Promise<LeaseKeeper | ObservedLease> {
  const isDead = (sight: string) =>
    sight === observed?.sight &&
    observed.since !== undefined &&
    now - observed.since > 1000 * HEARTBEATS_UNTIL_DEAD * heartbeatSeconds
  const taken = await Lease.take(artifacts, stage, holder, isDead)
  if (taken instanceof Lease) return new LeaseKeeper(taken, heartbeatSeconds)
  const sight = taken.observed
  return { sight, ...(sight === observed?.sight && { since: observed.since ?? now }) }
}

/**
 * How many milliseconds a waiting attempt leaves until the next one, which is at most about a tenth
 * of the time that has passed. A holder renews its lease three times per heartbeat, so that
 * checking more often shows nothing new.
 */
export function waitMs(attempt: number, heartbeatSeconds: number): number {
  return Math.min(
    FIRST_WAIT_MS * WAIT_GROWS_BY ** (attempt - 1),
    (1000 * heartbeatSeconds) / RENEWALS_PER_HEARTBEAT,
  )
}

/** Keeps the lease of a stage while an attempt computes it, and notices when the lease is lost. */
export class LeaseKeeper {
  private readonly lease: Lease
  private readonly renewEveryMs: number
  private timer: NodeJS.Timeout | undefined
  private renewal: Promise<void> = Promise.resolve()
  private loss: LeaseLostError | undefined

  constructor(lease: Lease, heartbeatSeconds: number) {
    this.lease = lease
    this.renewEveryMs = (1000 * heartbeatSeconds) / RENEWALS_PER_HEARTBEAT
  }

  /**
   * The number of micro-batches in each batch. It is 1 unless an earlier holder ran out of memory.
   */
  get microBatches(): number {
    return this.lease.microBatches
  }

  /** Throws a LeaseLostError once a renewal has found that another attempt has the stage. */
  throwIfLost(): void {
    if (this.loss) throw this.loss
  }

  /** Renews the lease at regular intervals, until `stopRenewing` is called. */
  startRenewing(): void {
    this.timer = setInterval(() => {
      // A store that does not answer for a while does no harm: the next renewal that succeeds finds
      // out whether another attempt has taken the stage over.
      this.renewal = this.renew().catch(() => undefined)
    }, this.renewEveryMs)
  }

  /** Waits for a renewal that is under way, because it would write the lease again. */
  async stopRenewing(): Promise<void> {
    clearInterval(this.timer)
    await this.renewal
  }

  /** Renews the lease now. Throws a LeaseLostError if another attempt has the stage. */
  async renew(): Promise<void> {
    await this.whileHeld(() => this.lease.renew())
  }

  /** Records the number of micro-batches for the next holder. Throws as `renew` does. */
  async saveMicroBatches(count: number): Promise<void> {
    await this.whileHeld(() => this.lease.saveMicroBatches(count))
  }

  /** Makes the next holder begin with whole batches. Throws as `renew` does. */
  async deleteMicroBatches(): Promise<void> {
    await this.whileHeld(() => this.lease.deleteMicroBatches())
  }

  /** Lets the next attempt take the stage at once. Does nothing if the lease is lost. */
  async release(): Promise<void> {
    // A lease that cannot be removed expires.
    if (!this.loss) await this.lease.release().catch(() => undefined)
  }

  private async whileHeld(change: () => Promise<void>): Promise<void> {
    try {
      await change()
    } catch (error) {
      if (error instanceof LeaseLostError) this.loss = error
      throw error
    }
  }
}
