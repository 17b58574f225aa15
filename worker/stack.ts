import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { claim } from './claim.ts'
import { freePort, startServer } from './server.ts'

/** A Temporal server and a worker as children of this process; neither outlives it. */
export interface Stack {
  readonly address: string
  /** False where another stack holds the directory's database: runs are then kept in memory only. */
  readonly durable: boolean
  /**
   * Resolves when the worker asks for work. A run that is started before that is often left lying for a second and a
   * half by the server.
   */
  readonly ready: Promise<void>
  /** Rejects when a part of the stack is gone for good; never resolves. */
  readonly broken: Promise<never>
  stop(): Promise<void>
}

export interface StackOptions {
  /** Holds the database and the logs; made when it is missing. */
  readonly directory: string
  readonly temporal: string
  readonly port?: number
  readonly ui?: boolean
  readonly withWorker?: boolean
  /** Hears of a worker that ended and is started again. */
  readonly onNote?: (message: string) => void
}

const WORKER_STARTS = 4
const STOP_MS = 8_000

export async function startStack({
  directory,
  temporal,
  port,
  ui = false,
  withWorker = true,
  onNote = () => undefined,
}: StackOptions): Promise<Stack> {
  mkdirSync(directory, { recursive: true })
  const database = join(directory, 'temporal.db')
  const claimed = claim(database)
  const log = (name: string) => join(directory, `${name}.log`)
  const server = startServer({
    temporal,
    port: port ?? (await freePort()),
    ui,
    log: log('temporal'),
    ...(claimed && { database }),
  })
  const worker = withWorker ? keepWorker(server.address, log('worker'), onNote) : undefined
  let stopping = false

  const serverGone = server.exited.then(() => {
    if (!stopping) throw new Error(`the Temporal server ended on its own; its log is ${log('temporal')}`)
    return new Promise<never>(() => undefined)
  })
  const broken = Promise.race([serverGone, ...(worker ? [worker.broken] : [])])
  broken.catch(() => undefined)

  return {
    address: server.address,
    durable: claimed !== undefined,
    ready: worker?.ready ?? Promise.resolve(),
    broken,
    async stop() {
      stopping = true
      await worker?.stop()
      await server.stop()
      claimed?.release()
    },
  }
}

/** Runs a worker process and starts it again when it dies, a few times. */
function keepWorker(address: string, log: string, onNote: (message: string) => void) {
  let stopping = false
  let child: ChildProcess
  let working = false
  let works: () => void
  const ready = new Promise<void>((resolve) => {
    works = resolve
  })
  const spawn = () => {
    child = spawnWorker(address, log)
    working = false
    child.once('message', () => {
      working = true
      works()
    })
  }
  spawn()
  let fail: (error: Error) => void
  const broken = new Promise<never>((_, reject) => {
    fail = reject
  })
  const watch = async (starts: number): Promise<void> => {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    if (stopping) return
    const how = `the worker ended on its own (${signal ?? `exit code ${code}`}); its log is ${log}`
    if (starts >= WORKER_STARTS) {
      fail(new Error(how))
      return
    }
    onNote(`${how}. It is started again.`)
    spawn()
    await watch(starts + 1)
  }
  const watching = watch(1)
  return {
    ready,
    broken,
    async stop() {
      stopping = true
      const last = child
      // One that has not begun has nothing to hand back.
      if (working && last.connected) last.send('stop', () => undefined)
      else last.kill('SIGKILL')
      const timer = setTimeout(() => last.kill('SIGKILL'), STOP_MS)
      await watching
      clearTimeout(timer)
    },
  }
}

function spawnWorker(address: string, log: string): ChildProcess {
  const output = openSync(log, 'a')
  const child = fork(fileURLToPath(new URL('main.ts', import.meta.url)), [address], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', output, output, 'ipc'],
    // Ctrl-C at the terminal is for this process, which then stops the worker in its order.
    detached: true,
  })
  closeSync(output)
  return child
}
