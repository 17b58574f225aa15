import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { takePidLock } from './pid-lock.ts'
import type { EndpointOptions } from '../worker/endpoint.ts'
import { startMlflow, type MlflowServer, type MlflowServerOptions } from './mlflow-server.ts'
import { startS3Server, type S3Credentials, type S3Server } from './s3-server.ts'
import { freePort } from '../host/free-port.ts'
import { startServer } from './server.ts'
import { spawnWorker } from './spawn-worker.ts'

/** A Temporal server and a worker as children of this process, and an S3 and an MLflow server if wanted; none outlives it. */
export interface Stack {
  readonly address: string
  /** False where another stack holds the directory's database: runs are then kept in memory only. */
  readonly durable: boolean
  /**
   * Resolves when the worker asks for work. A run that is started before that is often left lying for a second and a
   * half by the server.
   */
  readonly ready: Promise<void>
  readonly mlflow?: {
    readonly url: string
    /** Resolves when it answers for the first time, or is gone. */
    readonly ready: Promise<void>
    /** Resolves when it is gone for good, which breaks nothing else. */
    readonly gone: Promise<void>
  }
  /** Rejects when a part of the stack that runs need is gone for good; never resolves. */
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
  /** Where the worker serves `/metrics`, `/healthz` and `/readyz`; nowhere unless given. */
  readonly endpoint?: EndpointOptions
  /** An S3 server over `directory`, whose folders are its buckets. */
  readonly s3?: {
    readonly versitygw: string
    readonly port: number
    readonly bucket: string
    readonly credentials: S3Credentials
    /** Called before the worker starts. */
    readonly onReady: (endpoint: string) => void
  }
  /** An MLflow server with all that it keeps in `directory`/mlflow. */
  readonly mlflow?: { readonly mlflow: string; readonly port: number }
  /** Hears of a worker or an MLflow server that ended and is started again. */
  readonly onNote?: (message: string) => void
}

const WORKER_STARTS = 4
const MLFLOW_STARTS = 4
const STOP_MS = 8_000

/** Resolves when all parts are started, and the S3 server answers. */
export async function startStack({
  directory,
  temporal,
  port,
  ui = false,
  withWorker = true,
  endpoint,
  s3: s3Options,
  mlflow: mlflowOptions,
  onNote = () => undefined,
}: StackOptions): Promise<Stack> {
  mkdirSync(directory, { recursive: true })
  const database = join(directory, 'temporal.db')
  const claimed = takePidLock(database)
  const log = (name: string) => join(directory, `${name}.log`)
  const server = startServer({
    temporal,
    port: port ?? (await freePort()),
    ui,
    log: log('temporal'),
    ...(claimed && { database }),
  })
  const mlflow =
    mlflowOptions &&
    keepMlflow({ ...mlflowOptions, directory: join(directory, 'mlflow'), log: log('mlflow') }, onNote)
  let s3: S3Server | undefined
  const stopServers = async () => {
    await Promise.all([s3?.stop(), mlflow?.stop(), server.stop()])
    claimed?.release()
  }
  if (s3Options)
    try {
      s3 = await startS3Server({ ...s3Options, directory, log: log('s3') })
      s3Options.onReady(s3.endpoint)
    } catch (error) {
      await stopServers()
      throw error
    }
  const endpointArgs = endpoint ? [endpoint.host, String(endpoint.port)] : []
  const worker = withWorker ? keepWorker([server.address, ...endpointArgs], log('worker'), onNote) : undefined
  let stopping = false

  const gone = async (exited: Promise<void>, what: string, name: string): Promise<never> => {
    await exited
    if (!stopping) throw new Error(`the ${what} server ended on its own; its log is ${log(name)}`)
    return new Promise<never>(() => undefined)
  }
  const broken = Promise.race([
    gone(server.exited, 'Temporal', 'temporal'),
    ...(s3 ? [gone(s3.exited, 'S3', 's3')] : []),
    ...(worker ? [worker.broken] : []),
  ])
  broken.catch(() => undefined)

  return {
    address: server.address,
    durable: claimed !== undefined,
    ready: worker?.ready ?? Promise.resolve(),
    ...(mlflow && { mlflow }),
    broken,
    async stop() {
      stopping = true
      // First, while what it stores can still be stored.
      await worker?.stop()
      await stopServers()
    },
  }
}

/** Runs an MLflow server and starts it again when it dies, a few times. */
function keepMlflow(
  options: Pick<MlflowServerOptions, 'mlflow' | 'port' | 'directory' | 'log'>,
  onNote: (message: string) => void,
) {
  const stopping = new AbortController()
  let server: MlflowServer | undefined
  let answers: () => void
  const ready = new Promise<void>((resolve) => {
    answers = resolve
  })
  const keep = async (): Promise<void> => {
    for (let starts = 1; ; starts++) {
      let what = 'did not start'
      try {
        server = await startMlflow({ ...options, signal: stopping.signal })
        answers()
        what = 'ended on its own'
        await server.exited
      } catch {
        // Why is in its log.
      }
      if (stopping.signal.aborted) return
      const said = `MLflow ${what}; its log is ${options.log}.`
      if (starts === MLFLOW_STARTS) {
        onNote(`${said} Runs go on without it, and keep what they would log.`)
        answers()
        return
      }
      onNote(`${said} It is started again.`)
    }
  }
  const gone = keep()
  return {
    url: `http://127.0.0.1:${options.port}`,
    ready,
    gone,
    async stop() {
      stopping.abort()
      await server?.stop()
      await gone
    },
  }
}

/** Runs a worker process and starts it again when it dies, a few times. */
function keepWorker(args: readonly string[], log: string, onNote: (message: string) => void) {
  let stopping = false
  let child: ChildProcess
  let working = false
  let works: () => void
  const ready = new Promise<void>((resolve) => {
    works = resolve
  })
  const spawn = () => {
    child = spawnWorker(args, log)
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
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
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
