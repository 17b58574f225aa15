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
    // A group of its own: the server starts workers that must go with it.
    { cwd: directory, stdio: ['ignore', output, output], detached: true },
  )
  const gone = new Promise<void>((resolve) =>
    server.once('exit', () => {
      resolve()
    }),
  )
  const stop = async () => {
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, 'SIGTERM')
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
