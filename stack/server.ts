import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Servers as children that never outlive this process: a shell between the two kills the server and all that it started
 * when this process's end of the pipe closes, however that comes about. Killing is safe (SQLite's commits and a file's
 * rename are atomic) and a second quicker than asking.
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
  /** Output is appended to it. */
  readonly log: string
  /** Added to this process's environment: the place for secrets, since command lines can be read by everybody. */
  readonly env?: Readonly<Record<string, string>>
  readonly directory?: string
}

export interface GuardedProcess {
  /** Resolves when the server is gone, whoever ended it. */
  readonly exited: Promise<void>
  /** Resolves when the server and all that it started are gone. */
  stop(): Promise<void>
}

export function startGuarded({ program, args, log, env, directory }: GuardedOptions): GuardedProcess {
  const output = openSync(log, 'a')
  const child = spawn('/bin/sh', ['-c', guard, 'zeroshift-guard', program, ...args], {
    stdio: ['pipe', output, output],
    env: { ...process.env, ...env },
    ...(directory !== undefined && { cwd: directory }),
    // A session of its own: Ctrl-C at the terminal is for this process, which then ends the server in its order.
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
  /** What it is called in errors. */
  readonly what: string
  readonly log: string
  readonly withinMs: number
  readonly everyMs: number
  /** Characters of the log's end that an error shows; none unless given. */
  readonly tail?: number
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** Resolves when a server answers at a URL; where it does not, it is stopped and this throws. */
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
  /** Where runs are kept; in memory when absent. */
  readonly database?: string
  readonly ui?: boolean
  /** Of the server's own Prometheus figures; any unless given. */
  readonly metricsPort?: number
  readonly log: string
}

export interface ServerProcess extends GuardedProcess {
  readonly address: string
}

/**
 * With these, runs that wait in the same queue take turns, and a queue in one part keeps the order of each. Where they
 * change, a server no longer finds what waits in its queues: a database from before them goes on without.
 */
const takingTurns = [
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
]

/** Values of the server's dynamic configuration; a note beside a database that is new keeps that they belong to it. */
export function dynamicConfig(database?: string): readonly string[] {
  if (database === undefined) return takingTurns
  const note = `${database}.turns`
  if (!existsSync(database)) writeFileSync(note, '')
  return existsSync(note) ? takingTurns : []
}

/** Temporal's dev server. */
export function startServer(options: ServerOptions): ServerProcess {
  const { temporal, port, database, ui = false, metricsPort, log } = options
  const server = startGuarded({
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
  return { ...server, address: `127.0.0.1:${port}` }
}
