import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { acceptsConnections } from '../host/free-port.ts'
import { noteFinished, prepareDatabase } from './new-database.ts'

/**
 * A shell between this process and a server that kills the server and its children when this
 * process ends, no matter how: then the pipe between the two closes. Killing is safe, because
 * SQLite's commits and a file's rename are atomic, and it is a second faster than a regular
 * shutdown.
 */
const guard = `
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ cat <&3 >/dev/null; kill -KILL 0; } &
wait $server
kill -KILL 0`

export interface GuardedOptions {
  readonly program: string
  readonly args: readonly string[]
  /** The file to which the output is appended. */
  readonly log: string
  /**
   * Is added to the environment of this process. Secrets belong here, because everybody can read
   * command lines.
   */
  readonly env?: Readonly<Record<string, string>>
  readonly directory?: string
}

export interface GuardedProcess {
  /** Resolves when the server has ended, no matter why. */
  readonly exited: Promise<void>
  /** Ends the server. Resolves when the server and all of its children have ended. */
  stop(): Promise<void>
}

/** Starts a program that ends with this process. */
export function startGuarded({ program, args, log, env, directory }: GuardedOptions): GuardedProcess {
  const output = openSync(log, 'a')
  const child = spawn('/bin/sh', ['-c', guard, 'zeroshift-guard', program, ...args], {
    stdio: ['pipe', output, output],
    env: { ...process.env, ...env },
    ...(directory !== undefined && { cwd: directory }),
    // The server has its own session, so that Ctrl-C at the terminal reaches only this process,
    // which then ends its servers in the right order.
    detached: true,
  })
  closeSync(output)
  const exited = once(child, 'exit').then(() => undefined)
  child.stdin?.on('error', () => undefined)
  return {
    exited,
    async stop() {
      child.stdin?.end()
      await exited
    },
  }
}

export interface AnswerOptions {
  readonly url: string
  /** The name of the server in errors. */
  readonly what: string
  readonly log: string
  readonly withinMs: number
  readonly everyMs: number
  /** The number of characters of the log's end that an error shows. 0 unless given. */
  readonly tail?: number
  /** Stops waiting for the server when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Waits until a server answers at a URL. If it does not, this stops the server and throws an error.
 */
export async function untilAnswers(server: GuardedProcess, options: AnswerOptions): Promise<void> {
  const { url, what, log, withinMs, everyMs, tail = 0, signal } = options
  let ended = false
  void server.exited.then(() => (ended = true))
  const deadline = performance.now() + withinMs
  try {
    for (;;) {
      signal?.throwIfAborted()
      const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
      if (answer?.ok) return
      if (ended) {
        const said = tail > 0 ? (await readFile(log, 'utf8').catch(() => '')).slice(-tail) : undefined
        const shown = said === undefined ? '' : ` and ends with:\n${said}`
        throw new Error(`${what} ended at its start; its log is ${log}${shown}`)
      }
      if (performance.now() > deadline)
        throw new Error(`${what} did not answer within ${withinMs / 1000} s; its log is ${log}`)
      await sleep(everyMs)
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

export interface ServerOptions {
  /** Path of the `temporal` command. */
  readonly temporal: string
  readonly port: number
  /** The database file for runs. They are kept in memory if it is absent. */
  readonly database?: string
  readonly ui?: boolean
  /** The port for the server's own Prometheus metrics. Random unless given. */
  readonly metricsPort?: number
  readonly log: string
}

export interface ServerProcess extends GuardedProcess {
  readonly address: string
}

/**
 * Settings by which runs that wait in the same queue take turns. One partition per queue keeps the
 * order of each run's tasks. If these settings changed, a server would not find the tasks that wait
 * in its queues. Therefore they are not used with databases that were created without them.
 */
const takingTurns = [
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
]

/**
 * Returns the values of the server's dynamic configuration. A file beside a new database records
 * that the database was created with them.
 */
export function dynamicConfig(database?: string): readonly string[] {
  if (database === undefined) return takingTurns
  const note = `${database}.turns`
  if (!existsSync(database)) writeFileSync(note, '')
  return existsSync(note) ? takingTurns : []
}

const STARTS = 3
const POLL_MS = 25

/**
 * Starts Temporal's dev server. It ends with this process. The server chooses the ports for its
 * inner services itself and ends if another process takes one of them first. A server that ends
 * before it accepts connections is therefore started again, up to two times.
 */
export function startServer(options: ServerOptions): ServerProcess {
  const { temporal, port, database, ui = false, metricsPort, log } = options
  const start = () => {
    if (database !== undefined) prepareDatabase(database)
    return startGuarded({
      program: temporal,
      args: [
        ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
        ...dynamicConfig(database).flatMap((value) => ['--dynamic-config-value', value]),
        ...(ui ? [] : ['--headless']),
        ...(metricsPort === undefined ? [] : ['--metrics-port', String(metricsPort)]),
        ...(database === undefined ? [] : ['--db-filename', database]),
      ],
      log,
    })
  }
  let server = start()
  let stopping = false
  const keep = async (): Promise<void> => {
    for (let starts = 1; ; starts++) {
      const accepted = await acceptsBeforeExit(port, server.exited)
      if (accepted && database !== undefined) noteFinished(database)
      await server.exited
      if (accepted || stopping || starts === STARTS) return
      server = start()
    }
  }
  const exited = keep()
  return {
    address: `127.0.0.1:${port}`,
    exited,
    async stop() {
      stopping = true
      await server.stop()
      await exited
    },
  }
}

/** Resolves with whether a server accepts connections before it ends. */
async function acceptsBeforeExit(port: number, exited: Promise<void>): Promise<boolean> {
  let isRunning = true
  void exited.then(() => (isRunning = false))
  while (isRunning) {
    if (await acceptsConnections(port)) return isRunning
    await sleep(POLL_MS)
  }
  return false
}
