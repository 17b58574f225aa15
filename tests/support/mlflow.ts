import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureMlflow } from '../../infra/mlflow.mjs'
import { startMlflow, type MlflowServerOptions } from '../../stack/mlflow-server.ts'
import { freePort } from '../../host/free-port.ts'

export interface TestMlflow {
  readonly url: string
  /** The directory of its database, artifacts and log. */
  readonly directory: string
  /** Kills it, as a machine's end does; what it keeps stays. */
  kill(): Promise<void>
  /** On the same port and with the same data. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** A real MLflow server in a directory of its own, which goes with it. */
export async function mlflowServer(
  options: Pick<MlflowServerOptions, 'backend' | 'workers'> = {},
): Promise<TestMlflow> {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-mlflow-'))
  const [mlflow, port] = [await ensureMlflow(), await freePort()]
  const start = () => startMlflow({ mlflow, port, directory, log: join(directory, 'log'), ...options })
  let server = await start()
  return {
    url: server.url,
    directory,
    kill: () => server.stop(),
    async start() {
      server = await start()
    },
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
