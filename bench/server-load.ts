/**
 * The load of one cell of a sweep on the servers: requests and bytes of S3, calls, actions and
 * events of Temporal, and requests and points of MLflow. Runs two sweeps of one experiment on
 * digits (several seeds, rfa) with few and with many cells. Their difference is the cost of a
 * further cell, whose data, original and gold exist already. Proxies count the requests to S3 and
 * MLflow; Temporal's own metrics count its load.
 *
 *     npx tsx bench/server-load.ts [SEEDS] [STEPS] [CELLS]
 *
 * STEPS is the number of steps of a cell's unlearning. A second run with more steps shows which
 * load grows with time (heartbeats, leases).
 */
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { openArtifacts, type Artifacts } from '../artifacts/artifacts.ts'
import { prepareSweep, readSweep } from '../cli/launch/prepare-sweep.ts'
import { saveSweep } from '../cli/launch/save-sweep.ts'
import { stagesOf } from '../experiment/stages/stage-list.ts'
import type { SweepInput, SweepResult } from '../experiment/sweep/sweep.ts'
import { ensureMlflow } from '../infra/mlflow.mjs'
import { ensureTemporal } from '../infra/temporal.mjs'
import { ensureVersitygw } from '../infra/versitygw.mjs'
import { startMlflow } from '../stack/mlflow-server.ts'
import { startS3Server } from '../stack/s3-server.ts'
import { freePort } from '../host/free-port.ts'
import { startServer } from '../stack/server.ts'
import { spawnWorker } from '../stack/spawn-worker.ts'
import { sweepType, workflowId } from '../workflows/names.ts'

const [seeds = 3, steps = 100, cells = 24] = process.argv.slice(2).map(Number)
const few = 4
let allSoFar = { events: 0, bytes: 0 }

type Counts = Map<string, number>

const directory = mkdtempSync(join(tmpdir(), 'zeroshift-load-'))
const log = join(directory, 'log')
const counts: Counts = new Map()
const count = (name: string, by = 1) => {
  add(counts, name, by)
}

const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench-bench-bench' }
const s3 = await startS3Server({
  ...{ versitygw: await ensureVersitygw(), directory: join(directory, 's3'), bucket: 'load', log },
  ...{ port: await freePort(), credentials },
})
const mlflow = await startMlflow({
  ...{ mlflow: await ensureMlflow(), port: await freePort(), directory: join(directory, 'mlflow'), log },
})
const metricsPort = await freePort()
const temporal = startServer({
  ...{ temporal: await ensureTemporal(), port: await freePort(), metricsPort, log },
  database: join(directory, 'temporal.db'),
})
const s3Proxy = await countingProxy(s3.endpoint, ({ method = '', url = '' }, sent, got) => {
  const [path = '', query = ''] = url.split('?')
  const isList = method === 'GET' && query.includes('list-type')
  const what = /\/(lease|checkpoints|manifest\.json|blobs|runs|sweeps)\b/.exec(path)?.[1] ?? 'other'
  count(isList ? 'S3 LIST' : `S3 ${method}`)
  if (!isList) count(`S3 ${method} ${what}`)
  count('S3 bytes put', sent)
  count('S3 bytes got', got)
})
const mlflowProxy = await countingProxy(mlflow.url, ({ url = '' }, sent) => {
  count('MLflow requests')
  count(`MLflow ${url.split('?')[0]?.split('/').slice(-2).join('/') ?? ''}`)
  count('MLflow bytes', sent)
})
Object.assign(process.env, {
  ...{ AWS_ENDPOINT_URL_S3: s3Proxy.url, AWS_REGION: 'us-east-1' },
  ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
})
const worker = spawnWorker([temporal.address], log)
await once(worker, 'message')
const connection = await Connection.connect({ address: temporal.address })
const client = new Client({ connection })
try {
  const first = await sweepOf(few)
  const second = await sweepOf(cells)
  const further = cells - few
  const perCell = [...second].flatMap(([name, value]) => {
    const each = (value - (first.get(name) ?? 0)) / further
    return Math.abs(each) < 0.005 ? [] : [[name, Number(each.toPrecision(4))] as const]
  })
  console.log(JSON.stringify({ seeds, steps, cells }))
  for (const [name, each] of perCell.sort(([a], [b]) => (a < b ? -1 : 1))) console.log(`${name}\t${each}`)
} finally {
  await connection.close()
  worker.kill('SIGKILL')
  for (const proxy of [s3Proxy, mlflowProxy]) proxy.close()
  await Promise.all([temporal.stop(), s3.stop(), mlflow.stop()])
  rmSync(directory, { recursive: true, force: true })
}

/**
 * Runs a sweep with this number of cells in a store of its own and returns its load on the servers.
 */
async function sweepOf(size: number): Promise<Counts> {
  writeFileSync(
    join(directory, 'base.yaml'),
    `
name: load
data: { name: digits, validation: 0.1 }
split: { kind: class, classes: ['3'] }
model: { name: mlp, hidden: [64] }
training: { epochs: 5 }
seeds: ${seeds}
methods: [{ method: rfa, steps: ${steps}, optimizer: { name: adam, learningRate: 1e-3 } }]
tracking: { uri: '${mlflowProxy.url}' }
`,
  )
  const config = join(directory, 'sweep.yaml')
  writeFileSync(
    config,
    `name: load
base: base.yaml
random: { samples: ${size}, of: { 'methods[0].optimizer.learningRate': { from: 1e-4, to: 1e-2, scale: log } } }`,
  )
  const options = { config, overrides: [], store: `s3://load/${size}` }
  const prepared = await prepareSweep(options, await readSweep(options))
  const artifacts = openArtifacts(prepared.store)
  await saveSweep(artifacts, prepared)
  counts.clear()
  const before = new Map([...(await temporalCounts()), ...processorSeconds()])
  const { id } = prepared.sweep
  const handle = await client.workflow.start<(input: SweepInput) => Promise<SweepResult>>(sweepType, {
    ...{ workflowId: workflowId(id), taskQueue: 'zeroshift' },
    args: [{ id, store: prepared.store, maxParallel: 4 }],
  })
  const result = await handle.result()
  if (result.failures.length > 0) throw new Error(JSON.stringify(result.failures))
  for await (const { workflowId, runId } of client.workflow.list()) {
    await client.workflow
      .getHandle(workflowId, runId)
      .result()
      .catch(() => undefined)
  }
  const sum = new Map(counts)
  for (const [name, value] of [...(await temporalCounts()), ...processorSeconds()])
    sum.set(name, value - (before.get(name) ?? 0))
  let [events, bytes] = [0, 0]
  for await (const { historyLength, historySize = 0 } of client.workflow.list()) {
    events += historyLength
    bytes += historySize
  }
  sum.set('Temporal events', events - allSoFar.events)
  sum.set('Temporal bytes of history', bytes - allSoFar.bytes)
  allSoFar = { events, bytes }
  for (const [name, value] of await stageSeconds(artifacts, prepared.sweep.cells)) sum.set(name, value)
  return sum
}

/** The calls of the server's frontend by operation, and its count of actions. */
async function temporalCounts(): Promise<Counts> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
  const found: Counts = new Map()
  for (const line of text.split('\n')) {
    const [, name = '', labels = '', value = '0'] =
      /^(service_requests|action)\{(.*)\} ([\d.e+]+)$/.exec(line) ?? []
    const label = (wanted: string) => new RegExp(`\\b${wanted}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (name === 'action') add(found, `Temporal action ${label('action_type')}`, Number(value))
    else if (name && label('service_name') === 'frontend')
      add(found, `Temporal call ${label('operation')}`, Number(value))
  }
  return found
}

/**
 * The processor seconds of the servers and the worker. Words of their command lines identify them.
 */
function processorSeconds(): Counts {
  const port = (url: string) => url.split(':').at(-1) ?? ''
  const programs = {
    'Temporal, processor seconds': ['temporal', port(temporal.address)],
    'S3, processor seconds': ['versitygw', port(s3.endpoint)],
    'MLflow, processor seconds': ['uvicorn', port(mlflow.url)],
    'worker, processor seconds': ['infra/launch-worker.mjs', port(temporal.address)],
  }
  const found: Counts = new Map()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      // A shell's command line may contain all these words too. It uses no processor time.
      if (line.startsWith('/bin/sh')) continue
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      for (const [name, words] of Object.entries(programs))
        if (words.every((word) => line.includes(word)))
          add(found, name, (Number(fields[11]) + Number(fields[12])) / 100)
    } catch {
      // The process has ended.
    }
  return found
}

function add(to: Counts, name: string, value: number): void {
  to.set(name, (to.get(name) ?? 0) + value)
}

/** The seconds that the sweep's stages took where they were computed. */
async function stageSeconds(
  artifacts: Artifacts,
  all: readonly { readonly runs: readonly string[] }[],
): Promise<Counts> {
  const seen = new Set<string>()
  const found: Counts = new Map()
  for (const { runs } of all)
    for (const run of runs) {
      const record = await artifacts.run(run)
      for (const stage of record ? stagesOf(record.plan) : []) {
        if (seen.has(stage.key)) continue
        seen.add(stage.key)
        const manifest = await artifacts.complete(stage)
        add(found, 'stages', 1)
        add(found, `stages ${stage.kind}`, 1)
        add(found, `seconds ${stage.kind}`, manifest?.clock.seconds ?? 0)
      }
    }
  return found
}

/** A proxy to a server that counts requests and bytes. */
async function countingProxy(
  target: string,
  note: (incoming: IncomingMessage, sent: number, got: number) => void,
): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer((incoming, answer) => {
    const onwards = request(new URL(incoming.url ?? '', target), {
      ...{ method: incoming.method, headers: incoming.headers, setHost: false },
    })
    let [sent, got] = [0, 0]
    incoming.on('data', (chunk: Buffer) => (sent += chunk.length))
    incoming.pipe(onwards)
    onwards.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers)
      response.on('data', (chunk: Buffer) => (got += chunk.length))
      response.on('end', () => {
        note(incoming, sent, got)
      })
      response.pipe(answer)
    })
    onwards.on('error', () => answer.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
