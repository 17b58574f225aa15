import { spawn, type ChildProcess } from 'node:child_process'
import { lstatSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { programEnvironment } from './allowed.ts'
import { TASK_VARIABLE, type ProgressLine } from './contract.ts'
import { ProgramError, ProgramKilledError } from './errors.ts'
import { LineReader } from './line-reader.ts'
import { processesOfSession, processesWith } from './processes.ts'
import { progressOf } from './progress-line.ts'
import { taskDirectory, type TaskDirectory } from './task-directory.ts'
import { UsageLimits, type ProgramLimits } from './usage-limits.ts'

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
  /** The greatest memory that was measured; 0 if it cannot be measured. */
  readonly peakMemoryBytes: number
}

/** The time between two ticks. */
const TICK_MS = 500
/** The longest time that killed processes, and the last lines of a program, may take to end. */
const LAST_MS = 2000
const POLL_MS = 10

/**
 * Executes a program to its end. No process of its group remains, not even if this process is
 * killed. Throws a ProgramError if the program fails, exceeds a limit or writes a line that is not
 * valid, and a ProgramKilledError if a signal from outside ended it.
 */
export async function execute(execution: Execution): Promise<ExecutionResult> {
  const { command, directory, limits } = execution
  const places = taskDirectory(directory)
  const usage = await UsageLimits.begin(limits, directory)
  const start = performance.now()
  const program = new RunningProgram(execution, places, usage)
  try {
    for (;;) {
      const ended = await Promise.race([program.exited, sleep(TICK_MS).then(() => undefined)])
      program.throwFailure()
      if (ended) {
        await program.finish()
        program.throwFailure()
        program.throwExit(ended)
        break
      }
      const checkpoint = program.latestCheckpoint
      await execution.tick(checkpoint)
      await program.removeCheckpointsBefore(checkpoint)
      const exceeded = await usage.exceeded(program.pid)
      if (exceeded !== undefined) program.fail(new ProgramError(`the program (${command}) ${exceeded}`))
    }
  } catch (error) {
    await program.stop(limits.graceSeconds)
    throw error
  }
  return { seconds: (performance.now() - start) / 1000, peakMemoryBytes: usage.peakMemoryBytes }
}

/**
 * The shell between this process and the program. It kills the program's process group when this
 * process ends, no matter how: then the pipe at its standard input closes. SIGTERM is for the
 * program alone, whose exit code the shell passes on.
 */
const GUARD = `
exec 3<&0
( trap '' TERM; read nothing <&3; kill -KILL 0 ) >/dev/null 2>&1 &
trap : TERM
/bin/sh -c "$1" </dev/null 3<&-
exit $?`

interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The number of lines and characters at the end of the output that an error shows. */
const TAIL = { lines: 20, characters: 4000 }

/** A program while it runs: its process group, its output and its first failure. */
class RunningProgram {
  readonly exited: Promise<Exit>
  private readonly execution: Execution
  private readonly places: TaskDirectory
  private readonly usage: UsageLimits
  private readonly child: ChildProcess
  private readonly closed: Promise<unknown>
  /** The names of the complete checkpoints that still exist, in order. */
  private checkpoints: string[] = []
  private readonly named = new Set<string>()
  private readonly tails = { stdout: new Array<string>(), stderr: new Array<string>() }
  private failure: Error | undefined
  private startFailure: Error | undefined
  private finished: Promise<void> | undefined

  constructor(execution: Execution, places: TaskDirectory, usage: UsageLimits) {
    this.execution = execution
    this.places = places
    this.usage = usage
    // Its own session is its own process group as well.
    this.child = spawn('/bin/sh', ['-c', GUARD, 'zeroshift-program', execution.command], {
      cwd: places.program,
      env: programEnvironment({ ...execution, places }),
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    })
    this.child.stdin?.on('error', () => undefined)
    this.exited = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => {
        resolve({ code, signal })
      })
      this.child.once('error', (error) => {
        this.startFailure = error
        resolve({ code: null, signal: null })
      })
    })
    this.closed = Promise.all([this.read('stdout'), this.read('stderr')])
  }

  get pid(): number | undefined {
    return this.child.pid
  }

  get latestCheckpoint(): string | undefined {
    return this.checkpoints.at(-1)
  }

  /** Removes the checkpoints that the program named before this one. */
  async removeCheckpointsBefore(checkpoint: string | undefined): Promise<void> {
    if (checkpoint === undefined) return
    const at = this.checkpoints.indexOf(checkpoint)
    const old = this.checkpoints.slice(0, at)
    this.checkpoints = this.checkpoints.slice(at)
    for (const name of old) await rm(join(this.places.checkpoints, name), { recursive: true, force: true })
  }

  /** Kills the program for a failure. Only the first failure counts. */
  fail(failure: Error): void {
    this.failure ??= failure
    this.signal('SIGKILL')
  }

  throwFailure(): void {
    if (this.startFailure) throw this.startFailure
    if (this.failure) throw this.failure
  }

  /** Asks the program to end, and kills it after the grace period. */
  async stop(graceSeconds: number): Promise<void> {
    if (this.finished) return this.finished
    this.signal('SIGTERM')
    const grace = new AbortController()
    await Promise.race([this.exited, sleep(1000 * graceSeconds, undefined, { signal: grace.signal })])
    grace.abort()
    await this.finish()
  }

  /** Kills what is left of the program, and waits for its end and its last lines. */
  finish(): Promise<void> {
    return (this.finished ??= this.killRest())
  }

  private async killRest(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
    const deadline = performance.now() + LAST_MS
    while (this.pid !== undefined && processesOfSession(this.pid).length > 0 && performance.now() < deadline)
      await sleep(POLL_MS)
    // A process that left the session is known by its environment.
    for (const pid of processesWith(TASK_VARIABLE, this.places.taskFile)) {
      this.execution.log(`process ${pid} of the program was still running and was killed`)
      kill(pid, 'SIGKILL')
    }
    const late = new AbortController()
    await Promise.race([this.closed, sleep(LAST_MS, undefined, { signal: late.signal })])
    late.abort()
    for (const stream of [this.child.stdin, this.child.stdout, this.child.stderr]) stream?.destroy()
  }

  /** Throws the error of a program that did not end with exit code 0. */
  throwExit({ code, signal: ownSignal }: Exit): void {
    if (code === 0) return
    const { command } = this.execution
    // A shell gives 128 + n for a program that signal n ended.
    const signal = ownSignal ?? signalNames.get((code ?? 0) - 128)
    const tail = this.tail()
    if (signal === undefined)
      throw new ProgramError(`the program (${command}) ended with the exit code ${code}, expected 0; ${tail}`)
    if (fromOutside.has(signal))
      throw new ProgramKilledError(
        `the program (${command}) was ended by ${signal}, which Zeroshift did not send` +
          (signal === 'SIGKILL' ? '; the system does this if memory runs out' : ''),
      )
    throw new ProgramError(`the program (${command}) was ended by ${signal}; ${tail}`)
  }

  /** The end of standard error, or of standard output if the program wrote nothing else. */
  private tail(): string {
    const { stdout, stderr } = this.tails
    const lines = stderr.length > 0 ? stderr : stdout
    if (lines.length === 0) return 'it wrote no message'
    return `its standard ${stderr.length > 0 ? 'error' : 'output'} ends with:\n${lines.join('\n').slice(-TAIL.characters)}`
  }

  private signal(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined) kill(-this.child.pid, signal)
  }

  /** Reads one of the streams to its end. */
  private async read(name: 'stdout' | 'stderr'): Promise<void> {
    const stream = this.child[name]
    if (!stream) return
    const lines = new LineReader((line, isCut) => {
      this.takeLine(name, line, isCut)
    })
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const flood = this.usage.count(Buffer.byteLength(text))
      if (flood !== undefined) this.fail(new ProgramError(`the program (${this.execution.command}) ${flood}`))
      if (!this.failure) lines.push(text)
    })
    await new Promise<void>((resolve) => {
      stream.once('close', resolve)
      stream.once('error', () => {
        resolve()
      })
    })
    lines.end()
  }

  private takeLine(name: 'stdout' | 'stderr', line: string, isCut: boolean): void {
    this.usage.heard()
    try {
      const progress = name === 'stdout' ? progressOf(line, isCut) : undefined
      if (progress?.checkpoint !== undefined) this.takeCheckpoint(progress.checkpoint)
      if (progress) {
        this.execution.onLine(progress)
        return
      }
      const tail = this.tails[name]
      tail.push(line.slice(0, TAIL.characters))
      if (tail.length > TAIL.lines) tail.shift()
      this.execution.log(line)
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)))
    }
  }

  private takeCheckpoint(name: string): void {
    const place = join(this.places.checkpoints, name)
    const found = lstatSync(place, { throwIfNoEntry: false })
    if (!found?.isFile() && !found?.isDirectory())
      throw new ProgramError(
        `the program says that the checkpoint ${JSON.stringify(name)} is complete, but ${place} ` +
          `${found ? 'is neither a file nor a folder' : 'does not exist'}; expected a file or a folder, written before the line`,
      )
    if (this.named.has(name))
      throw new ProgramError(
        `the program says twice that the checkpoint ${JSON.stringify(name)} is complete; expected a new name for each checkpoint, ` +
          'since an earlier one may be read at this moment',
      )
    this.named.add(name)
    this.checkpoints.push(name)
  }
}

const signalNames = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]),
)
/** Signals by which a system or its operator ends processes that did nothing wrong. */
const fromOutside = new Set<NodeJS.Signals>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP'])

/** Sends a signal to a process, or to a group by its negative number, if it still exists. */
function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // EPERM: on macOS, all processes of the group have ended.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
