import type { OtherWork } from '../../experiment/records/manifest.ts'
import { OtherWorkMeter } from './other-work.ts'

/** The time of earlier attempts, up to the checkpoint from which this attempt continues. */
export interface EarlierWork {
  readonly seconds: number
  readonly otherWork?: OtherWork | undefined
}

/**
 * Measures the wall time of a stage's work over all attempts, and what else the machine did
 * meanwhile.
 */
export class WorkTimer {
  private readonly earlierSeconds: number
  private meter: OtherWorkMeter
  private startedAt = performance.now()
  /** The beginning of work that is not counted. */
  private pausedAt: number | undefined

  constructor(earlier?: EarlierWork) {
    this.earlierSeconds = earlier?.seconds ?? 0
    this.meter = new OtherWorkMeter(earlier?.otherWork)
  }

  /** Wall seconds of the work up to now. */
  seconds(): number {
    return this.earlierSeconds + ((this.pausedAt ?? performance.now()) - this.startedAt) / 1000
  }

  otherWork(): OtherWork {
    return this.meter.now()
  }

  /** Does some work and returns its result with the wall seconds of all attempts at it. */
  async timed<T>(work: () => T | Promise<T>): Promise<{ result: T; seconds: number }> {
    this.startedAt = performance.now()
    this.meter.start()
    try {
      const result = await work()
      return { result, seconds: this.seconds() }
    } finally {
      this.meter.stop()
    }
  }

  /** Does some work within `timed` that is not counted. */
  async untimed<T>(work: () => Promise<T>): Promise<T> {
    this.pausedAt = performance.now()
    this.meter.stop()
    try {
      return await work()
    } finally {
      this.startedAt += performance.now() - this.pausedAt
      this.pausedAt = undefined
      this.meter = new OtherWorkMeter(this.meter.now())
      this.meter.start()
    }
  }
}
