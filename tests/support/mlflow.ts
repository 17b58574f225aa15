import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureMlflow } from '../../infra/mlflow.mjs'
import { freePort } from '../../worker/server.ts'

/** A real MLflow server over SQLite, in a directory of its own. */
export async function mlflowServer(): Promise<{ url: string; stop(): Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-mlflow-'))
  const log = join(directory, 'log')
  const output = openSync(log, 'a')
  const port = await freePort()
  const server = spawn(
    await ensureMlflow(),
    [
      ...['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(directory, 'mlflow.db')}`],
      ...['--artifacts-destination', join(directory, 'artifacts')],
    ],
    {
      cwd: directory,
      stdio: ['ignore', output, output],
      // A group of its own: the server starts workers that must go with it.
      detached: true,
      env: {
        ...process.env,
        MLFLOW_DISABLE_TELEMETRY: 'true',
        // Processes for evaluation jobs, which tracking does not use.
        MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false',
      },
    },
  )
  const signal = (name: 'SIGTERM' | 'SIGKILL') => {
    try {
      if (server.pid !== undefined) process.kill(-server.pid, name)
    } catch (error) {
      // The whole group has ended.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  const gone = new Promise<void>((resolve) =>
    server.once('exit', () => {
      resolve()
    }),
  )
  const stop = async () => {
    signal('SIGTERM')
    await Promise.race([gone, sleep(5000)])
    // What is left of the group, whose leader may be gone already.
    signal('SIGKILL')
    await gone
    rmSync(directory, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < 600; tries++) {
    if (server.exitCode !== null) {
      const said = readFileSync(log, 'utf8')
      await stop()
      throw new Error(`MLflow ended at its start:\n${said}`)
    }
    const response = await fetch(`${url}/health`).catch(() => undefined)
    if (response?.ok) return { url, stop }
    await sleep(200)
  }
  await stop()
  throw new Error('MLflow did not answer within two minutes')
}
