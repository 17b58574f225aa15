import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import type { Activities } from '../../activities/index.ts'
import type { Server } from '../../cli/server/temporal.ts'
import { ensureTemporal } from '../../infra/temporal.mjs'
import { freePort } from '../../host/free-port.ts'
import { startServer } from '../../stack/server.ts'
import type { TemporalSettings } from '../../worker/temporal-settings.ts'
import { runWorker } from '../../worker/worker.ts'

export type TestTemporal = Awaited<ReturnType<typeof temporalServer>>

/** Starts Temporal's development server in memory on a free port, with a client for it. */
export async function temporalServer() {
  const directory = await mkdtemp(join(tmpdir(), 'zeroshift-temporal-'))
  const server = startServer({
    temporal: await ensureTemporal(),
    port: await freePort(),
    log: join(directory, 'temporal.log'),
  })
  const connection = await connected(server.address)
  return {
    address: server.address,
    client: new Client({ connection }),
    async stop() {
      await connection.close()
      await server.stop()
      await rm(directory, { recursive: true })
    },
  }
}

/** Runs a worker of both queues in this process until the work is done. */
export async function withWorker<T>(
  server: string | TemporalSettings,
  activities: Activities,
  work: () => Promise<T>,
  buildId?: string,
): Promise<T> {
  const { ended, stop } = await startWorker(server, activities, buildId)
  try {
    return await Promise.race([work(), ended])
  } finally {
    await stop()
  }
}

/** Starts a worker of both queues in this process. `ended` rejects when the worker has ended. */
export async function startWorker(
  server: string | TemporalSettings,
  activities: Activities,
  buildId?: string,
): Promise<{ readonly ended: Promise<never>; readonly stop: () => Promise<void> }> {
  const stop = new AbortController()
  let onReady: () => void
  const ready = new Promise<void>((resolve) => {
    onReady = resolve
  })
  const running = runWorker({
    ...(typeof server === 'string' ? { address: server } : server),
    activities,
    ...(buildId !== undefined && { buildId }),
    signal: stop.signal,
    onReady: () => {
      onReady()
    },
  })
  const ended = running.then(() => Promise.reject(new Error('the worker ended')))
  ended.catch(() => undefined)
  await Promise.race([ready, ended])
  return {
    ended,
    stop: async () => {
      stop.abort()
      await running
    },
  }
}

/** Once the server answers, which a starting one does after a moment. */
export async function connected(address: string): Promise<Connection> {
  for (let tries = 1; ; tries++)
    try {
      return await Connection.connect({ address, connectTimeout: 1000 })
    } catch (error) {
      if (tries === 50) throw error
      await sleep(100)
    }
}

/** A server that is there, as commands know it. */
export function thereAt(settings: TemporalSettings): Server {
  return {
    ...settings,
    embedded: false,
    ready: Promise.resolve(),
    broken: new Promise<never>(() => undefined),
    stop: () => Promise.resolve(),
  }
}
