import { lstat, readdir } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { grouped } from '../common/counted.ts'
import { processesOfSession, proportionalMemory } from './processes.ts'

/** What a program may use. A program that exceeds a limit is killed. */
export interface ProgramLimits {
  /** Wall hours of one attempt. */
  readonly hours: number
  /** Memory of all of its processes together. Measured on Linux only. */
  readonly memoryBytes: number
  /** The files in its task directory together, without those that were there at its start. */
  readonly diskBytes: number
  /** Standard output and standard error together. */
  readonly outputBytes: number
  /** Seconds without a line on standard output or standard error. */
  readonly silenceSeconds: number
  /** Seconds between SIGTERM and SIGKILL. */
  readonly graceSeconds: number
}

/** The limits that hold where a config gives no others. Of memory: 9/10 of this machine's. */
export const defaultLimits: ProgramLimits = {
  hours: 24,
  memoryBytes: Math.floor(0.9 * totalmem()),
  diskBytes: 20e9,
  outputBytes: 100e6,
  silenceSeconds: 600,
  graceSeconds: 10,
}

/** The time until the next measurement is at least this many times what the last one took. */
const REST = 100
/** The time between two questions that counts as silence at most: this process may have slept. */
const LONGEST_GAP_MS = 5000

/** Measures what one program uses. Reasons continue a sentence that begins with its name. */
export class UsageLimits {
  /** The greatest memory that was measured. */
  peakMemoryBytes = 0
  private readonly limits: ProgramLimits
  private readonly directory: string
  private readonly begun = performance.now()
  private readonly bytesAtStart: number
  private output = 0
  private silentMs = 0
  private askedAt = performance.now()
  private memoryDueAt = 0
  private diskDueAt = 0

  private constructor(limits: ProgramLimits, directory: string, bytesAtStart: number) {
    this.limits = limits
    this.directory = directory
    this.bytesAtStart = bytesAtStart
  }

  /** Begins before the program does. */
  static async begin(limits: ProgramLimits, directory: string): Promise<UsageLimits> {
    return new UsageLimits(limits, directory, await bytesIn(directory))
  }

  /** Notes that the program wrote a line. */
  heard(): void {
    this.silentMs = 0
  }

  /** Adds bytes of output. Returns the reason why they are too many, if they are. */
  count(bytes: number): string | undefined {
    this.output += bytes
    const { outputBytes } = this.limits
    return this.output > outputBytes
      ? `wrote more than ${grouped(outputBytes)} bytes to standard output and standard error; write less, or raise limits.output`
      : undefined
  }

  /** Returns the reason why the program with this number has to end, if there is one. */
  async exceeded(pid: number | undefined): Promise<string | undefined> {
    const now = performance.now()
    this.silentMs += Math.min(now - this.askedAt, LONGEST_GAP_MS)
    this.askedAt = now
    const { hours, silenceSeconds } = this.limits
    if (now - this.begun > 3600e3 * hours)
      return `ran for more than ${hours} h; let it take fewer steps, or raise limits.hours`
    if (this.silentMs > 1000 * silenceSeconds)
      return (
        `wrote no line to standard output or standard error for ${silenceSeconds} s; expected progress lines, such as ` +
        '{"step": 1, "steps": 90}, that are written at once (flush), or a greater limits.silence'
      )
    return (pid === undefined ? undefined : this.memoryExceeded(pid)) ?? (await this.diskExceeded())
  }

  private memoryExceeded(session: number): string | undefined {
    const start = performance.now()
    if (start < this.memoryDueAt) return undefined
    const processes = processesOfSession(session)
    const { memoryBytes } = this.limits
    let bytes = processes.reduce((sum, one) => sum + one.bytes, 0)
    // Processes of one program often share memory, which counts for each of them above.
    if (bytes > memoryBytes) bytes = processes.reduce((sum, { pid }) => sum + proportionalMemory(pid), 0)
    this.peakMemoryBytes = Math.max(this.peakMemoryBytes, bytes)
    this.memoryDueAt = nextDue(start)
    return bytes > memoryBytes
      ? `took ${grouped(bytes)} bytes of memory, expected ${grouped(memoryBytes)} at most; use less, or raise limits.memory`
      : undefined
  }

  private async diskExceeded(): Promise<string | undefined> {
    const start = performance.now()
    if (start < this.diskDueAt) return undefined
    const bytes = (await bytesIn(this.directory)) - this.bytesAtStart
    this.diskDueAt = nextDue(start)
    const { diskBytes } = this.limits
    return bytes > diskBytes
      ? `wrote ${grouped(bytes)} bytes of files, expected ${grouped(diskBytes)} at most; write less, or raise limits.disk`
      : undefined
  }
}

function nextDue(start: number): number {
  const now = performance.now()
  return now + REST * (now - start)
}

/** The bytes of all files in a folder. Files that disappear meanwhile count nothing. */
async function bytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const place = join(folder, entry.name)
    bytes += entry.isDirectory()
      ? await bytesIn(place)
      : ((await lstat(place).catch(() => undefined))?.size ?? 0)
  }
  return bytes
}
