import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startGuarded, untilAnswers, type GuardedProcess } from './server.ts'

export interface MlflowServerOptions {
  /** Path of the `mlflow` command. */
  readonly mlflow: string
  readonly port: number
  /** The directory for runs and their files. Created if it is missing. */
  readonly directory: string
  readonly log: string
  /** `files` is MLflow's older store of plain files, which appends every point that it receives. */
  readonly backend?: 'sqlite' | 'files'
  /** The number of processes that answer requests. Each takes about 250 MB. */
  readonly workers?: number
  /** Stops waiting for the server when it aborts. */
  readonly signal?: AbortSignal
}

export interface MlflowServer extends GuardedProcess {
  /** For `tracking.uri`. */
  readonly url: string
}

const START_MS = 120_000

/**
 * Starts an MLflow server that only this machine can reach and that ends with this process.
 * Resolves when the server answers.
 */
export async function startMlflow(options: MlflowServerOptions): Promise<MlflowServer> {
  const { mlflow, port, log, backend = 'sqlite', workers = 1, signal } = options
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const store = backend === 'sqlite' ? `sqlite:///${join(directory, 'mlflow.db')}` : join(directory, 'mlruns')
  const server = startGuarded({
    program: mlflow,
    args: [
      ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', String(workers)],
      ...['--backend-store-uri', store, '--artifacts-destination', join(directory, 'artifacts')],
    ],
    log,
    directory,
    env: {
      MLFLOW_DISABLE_TELEMETRY: 'true',
      // This turns off processes for evaluation jobs, which tracking does not use.
      MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      MLFLOW_ALLOW_FILE_STORE: String(backend === 'files'),
    },
  })
  const url = `http://127.0.0.1:${port}`
  await untilAnswers(server, {
    url: `${url}/health`,
    what: 'MLflow',
    log,
    withinMs: START_MS,
    everyMs: 100,
    tail: 2000,
    signal,
  })
  return { ...server, url }
}
