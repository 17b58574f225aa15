import { cpus } from 'node:os'
import type { OtherWork } from '../../experiment/records/manifest.ts'

const none: OtherWork = { processes: 0, stages: 0 }

/** The meters that run in this process now, and when their number last changed (milliseconds). */
const running = new Set<OtherWorkMeter>()
let changedAt = 0

/**
 * Measures what else the machine does while a stage is timed: a wall time that overlapped with
 * other work says little about the stage. What earlier attempts measured is added to it.
 */
export class OtherWorkMeter {
  private readonly earlier: OtherWork
  private processesAtStart = 0
  private stageSeconds = 0
  private measured: OtherWork | undefined

  constructor(earlier: OtherWork = none) {
    this.earlier = earlier
  }

  start(): void {
    settle()
    running.add(this)
    this.processesAtStart = otherProcessesSeconds()
  }

  stop(): void {
    settle()
    running.delete(this)
    this.measured = this.total()
  }

  /** Up to now, or up to the stop. */
  now(): OtherWork {
    if (this.measured) return this.measured
    if (!running.has(this)) return this.earlier
    settle()
    return this.total()
  }

  private total(): OtherWork {
    return {
      processes: this.earlier.processes + Math.max(0, otherProcessesSeconds() - this.processesAtStart),
      stages: this.earlier.stages + this.stageSeconds,
    }
  }

  /** Called by `settle` while another meter runs too. */
  addStageSeconds(seconds: number): void {
    this.stageSeconds += seconds
  }
}

/** Adds the time since the last change to every meter that was not alone. */
function settle(): void {
  const now = performance.now()
  if (running.size > 1) for (const meter of running) meter.addStageSeconds((now - changedAt) / 1000)
  changedAt = now
}

/** Processor seconds that all processes but this one have taken since the machine started. */
function otherProcessesSeconds(): number {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  const { user, system } = process.cpuUsage()
  return busy / 1e3 - (user + system) / 1e6
}
