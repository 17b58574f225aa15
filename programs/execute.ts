import type { ProgressLine } from './contract.ts'

/** What a program may use. A program that exceeds a limit is ended. */
export interface ProgramLimits {
  /** Wall hours of one attempt. */
  readonly hours: number
  /** Resident memory of all of its processes together. Measured on Linux only. */
  readonly memoryBytes: number
  /** The files in its task directory together. */
  readonly diskBytes: number
  /** Standard output and standard error together. */
  readonly outputBytes: number
  /** Seconds without a line on standard output or standard error. */
  readonly silenceSeconds: number
  /** Seconds between SIGTERM and SIGKILL. */
  readonly graceSeconds: number
}

export interface Execution {
  /** Is executed by `/bin/sh -c` in the folder with the program's files. */
  readonly command: string
  /** The directory that `writeTaskDirectory` wrote. */
  readonly directory: string
  /** The names of environment variables of this process that the program gets. */
  readonly variables: readonly string[]
  readonly limits: ProgramLimits
  readonly device: 'cpu' | 'gpu'
  readonly threads: number
  /** Is called for each line of standard output that reports progress. */
  onLine(line: ProgressLine): void
  /** Is called for every other line of standard output and of standard error. */
  log(line: string): void
  /**
   * Is awaited about every half second with the name of the latest complete checkpoint. This
   * checkpoint stays unchanged until the call ends; earlier ones are removed afterwards. If it
   * throws, the program is stopped, and `execute` throws the same error. Lines that the program
   * writes while it stops are passed on, so that a last checkpoint can be saved afterwards.
   */
  tick(checkpoint: string | undefined): Promise<void>
}

export interface ExecutionResult {
  /** Wall seconds from the start of the program to its end. */
  readonly seconds: number
  /** The greatest resident memory that was measured; 0 if it cannot be measured. */
  readonly peakMemoryBytes: number
}

/**
 * Executes a program to its end. No process of it remains, not even if this process is killed.
 * Throws a ProgramError if the program fails, exceeds a limit or writes a line that is not valid,
 * and a ProgramKilledError if the system killed it.
 */
export function execute(execution: Execution): Promise<ExecutionResult> {
  throw new Error(`not written yet: ${execution.command}`)
}

/**
 * SIGKILL ended a program, though Zeroshift did not send it: the system does this if memory runs
 * out. The next attempt, perhaps on another machine, may succeed.
 */
export class ProgramKilledError extends Error {
  override readonly name = 'ProgramKilledError'
}
