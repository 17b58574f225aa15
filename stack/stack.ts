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

/**
 * A Temporal server and a worker as child processes, and optionally an S3 server and an MLflow
 * server. All of them end with this process.
 */
export interface Stack {
  readonly address: string
  /**
   * False if another stack holds the database of the directory. Runs are then kept only in memory.
   */
  readonly durable: boolean
  /**
   * Resolves when the worker asks for work. The server often delays a run that is started earlier
   * by one and a half seconds.
   */
  readonly ready: Promise<void>
  readonly mlflow?: {
    readonly url: string
    /** Resolves when the server answers for the first time, or has ended for good. */
    readonly ready: Promise<void>
    /** Resolves when the server has ended for good. Runs continue without it. */
    readonly gone: Promise<void>
  }
  /** Rejects when a part of the stack that runs need has ended for good. Never resolves. */
  readonly broken: Promise<never>
  stop(): Promise<void>
}

export interface StackOptions {
  /** The directory for the database and the logs. Created if it is missing. */
  readonly directory: string
  readonly temporal: string
  readonly port?: number
  readonly ui?: boolean
  readonly withWorker?: boolean
  /**
   * The address at which the worker serves `/metrics`, `/healthz` and `/readyz`. They are not
   * served unless it is given.
   */
  readonly endpoint?: EndpointOptions
  /** Starts an S3 server over `directory`, whose folders are the buckets. */
  readonly s3?: {
    readonly versitygw: string
    readonly port: number
    readonly bucket: string
    readonly credentials: S3Credentials
    /** Is called before the worker starts. */
    readonly onReady: (endpoint: string) => void
  }
  /** Starts an MLflow server, whose data are in `directory`/mlflow. */
  readonly mlflow?: { readonly mlflow: string; readonly port: number }
  /** Is called when a worker or an MLflow server has ended and is started again. */
  readonly onNote?: (message: string) => void
}

const WORKER_STARTS = 4
const MLFLOW_STARTS = 4
const STOP_MS = 8_000

/** Starts the parts of a stack. Resolves when all of them are started and the S3 server answers. */
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
  const pidLock = takePidLock(database)
  const log = (name: string) => join(directory, `${name}.log`)
  const server = startServer({
    temporal,
    port: port ?? (await freePort()),
    ui,
    log: log('temporal'),
    ...(pidLock && { database }),
  })
  const mlflow =
    mlflowOptions &&
    keepMlflow({ ...mlflowOptions, directory: join(directory, 'mlflow'), log: log('mlflow') }, onNote)
  let s3: S3Server | undefined
  const stopServers = async () => {
    await Promise.all([s3?.stop(), mlflow?.stop(), server.stop()])
    pidLock?.release()
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
    durable: pidLock !== undefined,
    ready: worker?.ready ?? Promise.resolve(),
    ...(mlflow && { mlflow }),
    broken,
    async stop() {
      stopping = true
      // The worker stops first, while the stores for its results are still available.
      await worker?.stop()
      await stopServers()
    },
  }
}

/** Runs an MLflow server, and restarts it a few times if it ends. */
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
        // The reason is in the server's log.
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

/** Runs a worker process, and restarts it a few times if it ends. */
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
      // A worker that has not started to work has nothing to hand over.
      if (working && last.connected) last.send('stop', () => undefined)
      else last.kill('SIGKILL')
      const timer = setTimeout(() => last.kill('SIGKILL'), STOP_MS)
      await watching
      clearTimeout(timer)
    },
  }
}
