import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createServer } from 'node:net'

/**
 * Temporal's dev server as a child that never outlives this process: a shell between the two kills it when this
 * process's end of the pipe closes, however that comes about. Killing is safe (SQLite commits are atomic) and a second
 * quicker than asking.
 */
const guard = `
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ cat <&3 >/dev/null; kill -KILL $server; } 2>/dev/null & watch=$!
wait $server; code=$?
kill $watch 2>/dev/null
exit $code`

export interface ServerOptions {
  /** Path of the `temporal` command. */
  readonly temporal: string
  readonly port: number
  /** Where runs are kept; in memory when absent. */
  readonly database?: string
  readonly ui?: boolean
  readonly log: string
}

export interface ServerProcess {
  readonly address: string
  /** Resolves when the server is gone, whoever ended it. */
  readonly exited: Promise<void>
  stop(): Promise<void>
}

export function startServer({ temporal, port, database, ui = false, log }: ServerOptions): ServerProcess {
  const output = openSync(log, 'a')
  const child = spawn(
    '/bin/sh',
    [
      ...['-c', guard, 'temporal-guard', temporal, 'server', 'start-dev'],
      ...['--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'],
      ...(ui ? [] : ['--headless']),
      ...(database === undefined ? [] : ['--db-filename', database]),
    ],
    // A session of its own: Ctrl-C at the terminal is for this process, which then ends the server in its order.
    { stdio: ['pipe', output, output], detached: true },
  )
  closeSync(output)
  const exited = once(child, 'exit').then(() => undefined)
  child.stdin?.on('error', () => undefined)
  return {
    address: `127.0.0.1:${port}`,
    exited,
    async stop() {
      child.stdin?.end()
      await exited
    },
  }
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}
