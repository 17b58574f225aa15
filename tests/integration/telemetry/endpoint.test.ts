import { once } from 'node:events'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Context } from '@temporalio/activity'
import { beforeAll, expect, test } from 'vitest'
import { MathError, UserError } from '../../../common/errors.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import { ensureTemporal } from '../../../infra/temporal.mjs'
import { freePort } from '../../../host/free-port.ts'
import { startServer } from '../../../stack/server.ts'
import { runWorker, type WorkerSettings } from '../../../worker/worker.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { signalServer, zeroshift } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'
import { recording } from '../../support/recording.ts'
import { forFile } from '../../support/release.ts'
import { sampleRun } from '../../support/run.ts'
import { temporalServer, type TestTemporal } from '../../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

const start = (input: RunInput) =>
  server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
    workflowId: workflowId(input.run.id),
    taskQueue: 'zeroshift',
    args: [input],
  })

function promised() {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return {
    promise,
    resolve: () => {
      resolve()
    },
  }
}

/** A worker in this process with an endpoint. */
async function worker(settings: Partial<WorkerSettings>) {
  const port = await freePort()
  const stop = new AbortController()
  const endpoint = { host: '127.0.0.1', port }
  const { promise: ready, resolve: onReady } = promised()
  const ended = runWorker({
    ...{ address: server.address, endpoint, signal: stop.signal, ...settings },
    onReady: () => {
      onReady()
    },
  })
  return {
    ready,
    ended,
    stop: () => {
      stop.abort()
    },
    at: async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`)
      return { status: answer.status, text: await answer.text() }
    },
  }
}

test('failures are counted by kind: the user, the mathematics, the world', async () => {
  const { activities } = recording(({ title, kind }, attempt) => {
    if (title === 'unlearn by rfa') throw new UserError('a rank that is no rank')
    if (title === 'unlearn by finetune') throw new MathError('the loss is not finite')
    if (kind === 'split' && attempt < 3) throw new Error('the store is away')
  })
  const { at, ready, stop, ended } = await worker({ activities })
  try {
    await ready
    const handle = await start(sampleRun({ name: 'kinds' }))
    await expect(handle.result()).rejects.toMatchObject({ cause: { type: 'NothingLeft' } })
    const { text } = await at('/metrics')
    expect(text).toContain('zeroshift_failures_total{kind="user"} 1\n')
    expect(text).toContain('zeroshift_failures_total{kind="math"} 1\n')
    expect(text).toContain('zeroshift_failures_total{kind="world"} 2\n')
    expect(text).toContain('zeroshift_failures_total{kind="lost"} 0\n')
    expect(text).toContain('zeroshift_stages_total{stage="split",outcome="failed"} 2\n')
    expect(text).toContain('zeroshift_stages_total{stage="split",outcome="computed"} 1\n')
  } finally {
    stop()
    await ended
  }
})

test('while a worker drains it is alive and not ready, and what runs is counted', async () => {
  const input = sampleRun({ name: 'draining' })
  const { activities } = recording()
  const { promise: trains, resolve: begun } = promised()
  const { promise: released, resolve: release } = promised()
  const slow: typeof activities.train = async (task) => {
    begun()
    const beating = setInterval(() => {
      Context.current().heartbeat()
    }, 100)
    await released
    clearInterval(beating)
    return activities.train(task)
  }
  const { at, ready, stop, ended } = await worker({ activities: { ...activities, train: slow } })
  await ready
  expect(await at('/readyz')).toEqual({ status: 200, text: 'ready\n' })
  const handle = await start(input)
  await trains
  expect((await at('/metrics')).text).toContain('zeroshift_stages_running{stage="train"} 1\n')
  stop()
  expect(await at('/readyz')).toEqual({ status: 503, text: 'stopping\n' })
  expect((await at('/healthz')).status).toBe(200)
  release()
  await ended
  await expect(at('/healthz')).rejects.toThrow()
  await handle.terminate()
})

test('a worker that waits for its server is alive and not ready', async () => {
  const { at, ended, stop } = await worker({ address: `127.0.0.1:${await freePort()}` })
  ended.catch(() => undefined)
  await expect.poll(async () => (await at('/healthz')).status, { timeout: 60_000 }).toBe(200)
  expect(await at('/readyz')).toEqual({ status: 503, text: 'starting\n' })
  expect((await at('/metrics')).text).toContain('zeroshift_failures_total{kind="world"} 0\n')
  expect((await at('/other')).status).toBe(404)
  stop()
  await expect(ended).rejects.toThrow()
})

test.each(['killed', 'silent'])(
  'a worker whose server is %s is alive and not ready, until the server is back',
  async (how) => {
    const directory = testDirectory()
    const port = await freePort()
    const options = { temporal: await ensureTemporal(), port, log: join(directory, 'temporal.log') }
    const commandLine = `start-dev --ip 127.0.0.1 --port ${port} `
    let own = startServer(options)
    const { at, ready, stop, ended } = await worker({
      address: own.address,
      activities: recording().activities,
    })
    try {
      await ready
      expect(await at('/readyz')).toEqual({ status: 200, text: 'ready\n' })
      if (how === 'killed') await own.stop()
      else signalServer(commandLine, 'SIGSTOP')
      await expect
        .poll(() => at('/readyz'), { timeout: 60_000 })
        .toEqual({ status: 503, text: 'no server\n' })
      expect((await at('/healthz')).status).toBe(200)
      if (how === 'killed') own = startServer(options)
      else signalServer(commandLine, 'SIGCONT')
      await expect.poll(() => at('/readyz'), { timeout: 60_000 }).toEqual({ status: 200, text: 'ready\n' })
    } finally {
      signalServer(commandLine, 'SIGCONT')
      stop()
      await ended
      await own.stop()
    }
  },
)

test('a port that is taken is for the user to change, and said by name', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  try {
    const options = ['--metrics-port', String(port), '--temporal', server.address]
    const { code, stderr } = await zeroshift(tmpdir(), 'worker', ...options).ended
    expect(code).toBe(2)
    expect(stderr).toContain(`--metrics-port: port ${port} of 127.0.0.1 is in use`)
  } finally {
    other.close()
  }
})

test.each([
  [['--metrics-port', '70000'], 'expected a whole number from 1 to 65535'],
  [['--metrics-host', '0.0.0.0'], 'found without --metrics-port'],
])('%j is refused', async (options, problem) => {
  const { code, stderr } = await zeroshift(tmpdir(), 'worker', ...options).ended
  expect(code).toBe(2)
  expect(stderr).toContain(problem)
})
