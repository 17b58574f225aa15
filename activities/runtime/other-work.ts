import { cpus } from 'node:os'
import type { OtherWork } from '../../experiment/records/manifest.ts'

const none: OtherWork = { processes: 0, stages: 0 }

/** The meters that run in this process at the moment. */
const running = new Set<OtherWorkMeter>()
/** When `settle` was last called, in milliseconds. */
let changedAt = 0

/**
 * Measures what else the machine does while a stage is timed, because a wall time that overlapped
 * with other work says little about the stage. The result includes what earlier attempts measured.
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

  /** Returns what was measured up to now, or up to `stop`. */
  now(): OtherWork {
    if (this.measured) return this.measured
    if (!running.has(this)) return this.earlier
    settle()
    return this.total()
  }

  private total(): OtherWork {
    return {
      processes: (this.earlier.processes ?? 0) + Math.max(0, otherProcessesSeconds() - this.processesAtStart),
      stages: this.earlier.stages + this.stageSeconds,
    }
  }

  /** Is called by `settle` for the time in which another meter was running. */
  addStageSeconds(seconds: number): void {
    this.stageSeconds += seconds
  }
}

/** Adds the time since the last call to all running meters, if there are several. */
function settle(): void {
  const now = performance.now()
  if (running.size > 1) for (const meter of running) meter.addStageSeconds((now - changedAt) / 1000)
  changedAt = now
}

/** The processor seconds of all other processes since the machine started. */
function otherProcessesSeconds(): number {
  const busy = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
  const { user, system } = process.cpuUsage()
  return busy / 1e3 - (user + system) / 1e6
}
