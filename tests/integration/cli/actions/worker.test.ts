import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Context } from '@temporalio/activity'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { tensorflowHere } from '../../../../cli/server/tensorflow.ts'
import type { RunInput, RunResult } from '../../../../experiment/records/run.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { driverProblem } from '../../../../host/gpu.mjs'
import { isNativeReady } from '../../../../infra/native.mjs'
import { freePort } from '../../../../host/free-port.ts'
import { runWorker } from '../../../../worker/worker.ts'
import { workflowId, workflowType } from '../../../../workflows/names.ts'
import { processesOf, zeroshift, zeroshiftWith } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { recording } from '../../../support/recording.ts'
import { forFile } from '../../../support/release.ts'
import { sampleRun } from '../../../support/run.ts'
import { temporalServer, type TestTemporal } from '../../../support/temporal.ts'

let server: TestTemporal
beforeAll(async () => {
  server = await forFile(temporalServer())
})

/** What KEDA scales by: the stages that wait in the queue, and none that is computed. */
async function backlog(): Promise<number> {
  const { stats } = await server.client.workflowService.describeTaskQueue({
    namespace: 'default',
    taskQueue: { name: 'zeroshift-train' },
    taskQueueType: ACTIVITY,
    reportStats: true,
  })
  return Number(stats?.approximateBacklogCount ?? 0)
}
const ACTIVITY = 2

test('workers that are started for a backlog compute a stage that takes longer than they may be idle, and end in order', async () => {
  const idleSeconds = 2
  const input = sampleRun({ name: 'idle' })
  const { activities, calls } = recording()
  let seconds = 0
  const slow: typeof activities.train = async (task) => {
    const started = performance.now()
    if (task.stage.key === input.run.plan.original.key)
      while ((seconds = (performance.now() - started) / 1000) < idleSeconds + 2) {
        Context.current().heartbeat()
        await sleep(100)
      }
    return activities.train(task)
  }
  const { address, client } = server
  const stop = new AbortController()
  const control = runWorker({ address, queues: ['zeroshift'], activities, signal: stop.signal })
  const jobs: Promise<void>[] = []
  try {
    const handle = await client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      args: [input],
    })
    let isOver = false
    const result = handle.result().finally(() => (isOver = true))
    result.catch(() => undefined)
    let working = 0
    while (!isOver) {
      if (working === 0 && (await backlog()) > 0) {
        working++
        const job = { address, queues: ['zeroshift-train'] as const, idleSeconds }
        jobs.push(runWorker({ ...job, activities: { ...activities, train: slow } }).finally(() => working--))
      }
      await sleep(100)
    }
    expect((await result).failed).toEqual([])
    expect(seconds).toBeGreaterThan(idleSeconds)
    // Each once: none was handed over.
    expect(calls).toHaveLength(stagesOf(input.run.plan).length)
    expect(jobs.length).toBeGreaterThan(0)
    await Promise.all(jobs)
  } finally {
    stop.abort()
    await control
  }
})

test('the command ends by itself with exit code 0; its ready file is there while it asks for work', async () => {
  const directory = testDirectory()
  const ready = join(directory, 'ready')
  const command = zeroshift(
    directory,
    ...['worker', '--queue', 'zeroshift-train', '--exit-when-idle', '2'],
    ...['--ready-file', ready, '--temporal', server.address],
  )
  await command.says('working for zeroshift-train')
  expect(existsSync(ready)).toBe(true)
  expect((await command.ended).code).toBe(0)
  expect(existsSync(ready)).toBe(false)
})

test('a worker that serves runs themselves does not take --exit-when-idle', async () => {
  const { code, stderr } = await zeroshift(tmpdir(), 'worker', '--exit-when-idle', '60').ended
  expect(code).toBe(2)
  expect(stderr).toContain('expected --queue zeroshift-train and no other')
})

test('the command ends with exit code 2 and the reason where its namespace does not exist', async () => {
  const { code, stderr } = await zeroshiftWith(
    { TEMPORAL_NAMESPACE: 'nowhere' },
    tmpdir(),
    ...['worker', '--temporal', server.address],
  ).ended
  expect(code).toBe(2)
  expect(stderr).toContain(`the Temporal server at ${server.address} has no namespace 'nowhere'`)
})

test('the command says why it waits where no server answers', async () => {
  const address = `127.0.0.1:${await freePort()}`
  const command = zeroshift(tmpdir(), 'worker', '--temporal', address)
  await command.says(`no connection to Temporal at ${address} yet: `)
  command.child.kill('SIGKILL')
  const { stdout } = await command.ended
  expect(stdout).toMatch(/It is tried again for 4 min \d+ s/)
})

describe('a worker that is to compute on a GPU', () => {
  test.skipIf(driverProblem() === undefined)(
    'refuses to start without a driver, names the library and downloads nothing',
    async () => {
      const cache = testDirectory()
      const given = { ZEROSHIFT_DEVICE: 'gpu' }
      for (const command of [
        zeroshift(tmpdir(), 'worker', '--queue', 'zeroshift-train', '--device', 'gpu'),
        zeroshift(tmpdir(), 'worker', '--device', 'gpu', '--gpus', '0,1,2'),
        zeroshiftWith(given, tmpdir(), 'worker'),
        zeroshiftWith(given, cache, 'up'),
      ]) {
        const { code, stdout, stderr } = await command.ended
        expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
        expect(stderr.match(/asked for a GPU/g)).toHaveLength(1)
        expect(stderr).toMatch(/asked for a GPU.*: libcuda\.so\.1, NVIDIA's driver, cannot be loaded \(/)
        expect(stderr).not.toContain('downloading')
      }
    },
  )

  test.each([
    [['--device', 'cuda'], "--device: there is no device 'cuda'; expected one of cpu, gpu"],
    [['--device', 'cpu', '--gpu', '1'], 'expected --device gpu with it'],
    [['--gpus', '0,1'], '--gpus 0,1: this worker computes on the CPU; expected --device gpu with it'],
  ])('is asked for by a device that is known: not %j', async (options, said) => {
    const { code, stderr } = await zeroshift(tmpdir(), 'worker', ...options).ended
    expect(code).toBe(2)
    expect(stderr).toContain(said)
  })
})

describe('workers that are processes of one command', () => {
  let directory: string
  const ready = (i: number) => join(directory, `ready.${i}`)
  const areReady = () => [0, 1].map((i) => existsSync(ready(i)))
  const workers = () => processesOf(`--ready-file=${directory}`).length
  beforeEach(() => {
    directory = testDirectory()
  })

  /** `worker --gpus` but for the GPUs. */
  function start(address: string) {
    const module = (path: string) => new URL(`../../../../${path}`, import.meta.url)
    const launcher = fileURLToPath(module('infra/launch.mjs'))
    const members = [0, 1].map((i) => ({
      name: `worker ${i}`,
      args: ['worker', '--queue=zeroshift-train', `--temporal=${address}`, `--ready-file=${ready(i)}`],
    }))
    const script = join(directory, 'all.mts')
    writeFileSync(
      script,
      `import { runMembers } from ${JSON.stringify(module('cli/server/worker-per-gpu.ts').href)}
process.exitCode = await runMembers(${JSON.stringify(launcher)}, ${JSON.stringify(members)})`,
    )
    const child = spawn(process.execPath, ['--import', 'tsx', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    return { child, ended: once(child, 'exit') }
  }

  test.each(['SIGTERM', 'SIGINT'] as const)('end in order by %s', async (signal) => {
    const { child, ended } = start(server.address)
    await expect.poll(areReady, { timeout: 60_000 }).toEqual([true, true])
    child.kill(signal)
    expect(await ended).toEqual([0, null])
    expect(areReady()).toEqual([false, false])
    expect(workers()).toBe(0)
  })

  test('end in order when whoever started them is killed', async () => {
    const { child, ended } = start(server.address)
    await expect.poll(areReady, { timeout: 60_000 }).toEqual([true, true])
    child.kill('SIGKILL')
    await ended
    await expect.poll(workers, { timeout: 60_000 }).toBe(0)
    expect(areReady()).toEqual([false, false])
  })

  test('end at once while they wait for their server', async () => {
    const { child, ended } = start(`127.0.0.1:${await freePort()}`)
    await expect.poll(workers, { timeout: 60_000 }).toBe(2)
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
    expect(workers()).toBe(0)
  })
})

// A library with CUDA, on a machine with a GPU, sees one.
test.skipIf(isNativeReady({ gpu: true }))(
  'TensorFlow that falls back to the CPU is not taken for a GPU, in a look or in a stage',
  () => {
    expect(() => tensorflowHere('gpu')).toThrow('TensorFlow sees no GPU, and was asked for one')
    expect(tensorflowHere('cpu')).toMatchObject({ device: 'CPU', version: '2.21.0' })
  },
)

describe('a worker with a wrong setting says so and ends', () => {
  test.each([
    [
      'a payload key',
      { ZEROSHIFT_PAYLOAD_KEYS: 'x' },
      '127.0.0.1:1',
      /ZEROSHIFT_PAYLOAD_KEYS: entry 1 is no key/,
    ],
    [
      'an API key',
      { ZEROSHIFT_TEMPORAL_API_KEY: 'a b' },
      '127.0.0.1:1',
      /ZEROSHIFT_TEMPORAL_API_KEY holds white/,
    ],
    [
      'TLS',
      { ZEROSHIFT_TEMPORAL_TLS_CA_FILE: '/dev/null' },
      '127.0.0.1:1',
      /_CA_FILE names \/dev\/null, which is a device/,
    ],
    ['an address', {}, 'http://host:7233', /"http:\/\/host:7233" is no address of a Temporal server/],
    ['a port', {}, '127.0.0.1:99999', /no address of a Temporal server; expected HOST:PORT/],
  ])('%s', async (_, env, address, message) => {
    const directory = testDirectory()
    const { code, stderr } = await zeroshiftWith(env, directory, 'worker', '--temporal', address).ended
    expect(stderr).toMatch(message)
    expect(code).toBe(2)
  })
})
