import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { S3 } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isAlive } from '../../host/alive.mjs'
import { freePort } from '../../host/free-port.ts'
import {
  answerOf,
  processesOf,
  signalServer,
  smallConfig,
  zeroshift,
  type Answer,
  type Running,
} from '../support/command.ts'
import { testDirectory } from '../support/directories.ts'
import { zeroshiftHereWith } from '../support/in-process.ts'

// Versions of the SDK to come are no news here.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'

/** Each look at the processes takes time of theirs. */
const SOON = { timeout: 60_000, interval: 200 }

let directory: string
let ports: { readonly temporal: number; readonly s3: number; readonly mlflow: number }
let stack: Running | undefined
beforeEach(async () => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  ports = { temporal: await freePort(), s3: await freePort(), mlflow: await freePort() }
})
afterEach(async () => {
  stack?.child.kill('SIGKILL')
  await stack?.ended
  stack = undefined
  // Its servers die with it, a moment later.
  await expect.poll(left, SOON).toEqual([])
})

async function up(...options: readonly string[]): Promise<Running> {
  const { temporal, s3, mlflow } = ports
  const given = ['--port', temporal, '--s3-port', s3, '--mlflow-port', mlflow].map(String)
  const running = zeroshift(directory, 'up', ...given, ...options)
  stack = running
  await running.says('Ctrl-C stops it')
  return running
}

/** The parts of a stack: each has a port on its command line. */
function left(): readonly string[] {
  return processesOf(...Object.values(ports).map(String)).filter((line) =>
    /start-dev|worker\/main|versitygw|mlflow server/.test(line),
  )
}

const note = (name: string) =>
  JSON.parse(readFileSync(join(directory, '.zeroshift', name), 'utf8')) as {
    accessKeyId?: string
    secretAccessKey?: string
    pid?: number
    server?: { endpoint: string }
  }

async function run(...options: readonly string[]): Promise<Answer> {
  const { code, stdout, stderr } = await zeroshift(directory, 'run', 'small.yaml', '--json', ...options).ended
  if (code !== 0) throw new Error(stderr)
  return answerOf(stdout)
}

test('a run on the stack is stored by its S3 server and tracked by its MLflow server, which is started again if it dies; its keys stay in one file', async () => {
  const stack = await up()
  const keys = note('s3.json')
  const { accessKeyId = '', secretAccessKey = '', server } = keys
  const endpoint = server?.endpoint ?? ''
  expect(statSync(join(directory, '.zeroshift/s3.json')).mode & 0o777).toBe(0o600)
  expect(processesOf(secretAccessKey)).toEqual([])

  const first = await run()
  expect(first).toMatchObject({ status: 'completed', stages: { computed: 13, cached: 0 }, notes: [] })

  const s3 = new S3({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true },
    credentials: { accessKeyId, secretAccessKey },
  })
  const { Contents = [] } = await s3.listObjectsV2({ Bucket: 'store' })
  expect(Contents.map(({ Key }) => Key)).toContain(`runs/${first.id}/run.json`)
  // An object that was written as a plain file has no tag.
  expect(Contents.filter(({ ETag }) => !ETag)).toEqual([])

  const mlflow = `http://127.0.0.1:${ports.mlflow}/api/2.0/mlflow`
  const ask = async (path: string, body?: unknown) => {
    const answer = await fetch(`${mlflow}/${path}`, {
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
      headers: { 'content-type': 'application/json' },
    })
    return (await answer.json()) as {
      experiment: { experiment_id: string }
      runs: { info: { run_name: string; status: string } }[]
    }
  }
  const { experiment } = await ask('experiments/get-by-name?experiment_name=small')
  const tracked = async () =>
    (await ask('runs/search', { experiment_ids: [experiment.experiment_id] })).runs
      .map(({ info }) => `${info.run_name} ${info.status}`)
      .sort()
  await expect
    .poll(tracked, { timeout: 60_000 })
    .toEqual(['retrain FINISHED', 'rfa FINISHED', `${first.id} FINISHED`].sort())

  const answers = () =>
    fetch(`http://127.0.0.1:${ports.mlflow}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
  signalServer(`mlflow server --host 127.0.0.1 --port ${ports.mlflow}`, 'SIGKILL')
  await stack.says('MLflow ended on its own; its log is .zeroshift/mlflow.log. It is started again.')
  await expect.poll(answers, { timeout: 60_000 }).toBe(true)

  stack.child.kill('SIGINT')
  expect((await stack.ended).code).toBe(0)
  expect(left()).toEqual([])
  for (const file of readdirSync(directory, { recursive: true, withFileTypes: true }))
    if (file.isFile() && file.name !== 's3.json')
      expect(readFileSync(join(file.parentPath, file.name)).includes(secretAccessKey)).toBe(false)

  // The same store without the server.
  expect(await run()).toMatchObject({ digest: first.digest, stages: { computed: 0, cached: 13 } })
})

test('a killed stack leaves nothing running, and its run goes on without it, and with it again', async () => {
  const long = ['-S', 'training.epochs=80', '-S', 'heartbeatSeconds=2']
  const killed = await up('--no-mlflow')
  const command = zeroshift(directory, 'run', 'small.yaml', ...long)
  await command.says('train original …')
  killed.child.kill('SIGKILL')
  await expect.poll(left, SOON).toEqual([])
  command.child.kill('SIGKILL')
  await command.ended

  const alone = zeroshift(directory, 'run', 'small.yaml', ...long)
  await alone.says('train original …')
  alone.child.kill('SIGKILL')
  await alone.ended
  await expect.poll(() => isAlive(note('stack.json').pid ?? 0), { timeout: 60_000 }).toBe(false)

  await up('--no-mlflow')
  // Joined, not begun anew: what the first commands computed counts as this run's own.
  expect(await run(...long)).toMatchObject({ status: 'completed', stages: { computed: 13, cached: 0 } })
  const { code, stdout } = await zeroshift(directory, 'gc', '--json').ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ runs: 1, bytes: 0 })
})

test('without the S3 server the stack ends and says where its log is', async () => {
  const stack = await up('--no-mlflow')
  signalServer(`--port 127.0.0.1:${ports.s3}`, 'SIGKILL')
  const { code, stderr } = await stack.ended
  expect(code).toBe(1)
  expect(stderr).toContain('the S3 server ended on its own; its log is .zeroshift/s3.log')
  expect(left()).toEqual([])
})

test('the worker of a stack shows its metrics, and again after it was killed', async () => {
  const metricsPort = await freePort()
  const stack = await up('--no-s3', '--no-mlflow', '--metrics-port', String(metricsPort))
  const at = async (path: string) => (await fetch(`http://127.0.0.1:${metricsPort}${path}`)).text()
  await stack.says(`metrics at http://127.0.0.1:${metricsPort}/metrics`)
  expect(await at('/healthz')).toBe('ok\n')
  expect(await at('/readyz')).toBe('ready\n')
  expect(await run()).toMatchObject({ status: 'completed' })
  expect(await at('/metrics')).toContain('zeroshift_stages_total{stage="split",outcome="computed"} 1\n')
  signalServer(`127.0.0.1:${ports.temporal} 127.0.0.1 ${metricsPort}`, 'SIGKILL')
  await stack.says('It is started again.')
  await expect.poll(() => at('/readyz').catch(() => ''), { timeout: 60_000 }).toBe('ready\n')
  stack.child.kill('SIGINT')
  expect((await stack.ended).code).toBe(0)
  await expect(at('/healthz')).rejects.toThrow()
})

test('parts can be left out; a second stack and a port that is taken are refused', async () => {
  const refused = (...options: readonly string[]) => zeroshiftHereWith({}, directory, 'up', ...options)
  const taken = createServer()
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => {
      resolve((taken.address() as { port: number }).port)
    }),
  )
  for (const option of ['--port', '--s3-port', '--mlflow-port']) {
    const { code, stderr } = await refused(option, String(port))
    expect(code).toBe(2)
    expect(stderr).toContain(`${option}: port ${port} is in use`)
  }
  const ofMetrics = await refused('--metrics-port', String(port))
  expect(ofMetrics.code).toBe(2)
  expect(ofMetrics.stderr).toContain(`--metrics-port: port ${port} of 127.0.0.1 is in use`)
  expect(readdirSync(directory)).toEqual(['small.yaml'])
  taken.close()
  await up('--no-s3', '--no-mlflow')
  expect(readdirSync(join(directory, '.zeroshift'))).not.toContain('s3.json')
  expect(left().filter((line) => /versitygw|mlflow server/.test(line))).toEqual([])
  const { code, stderr } = await refused()
  expect(code).toBe(2)
  expect(stderr).toContain('a stack runs in this directory already')
})
