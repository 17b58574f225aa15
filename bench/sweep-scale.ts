import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { prepareSweep, readSweep } from '../cli/launch/prepare-sweep.ts'
import { saveSweep } from '../cli/launch/save-sweep.ts'
import type { SweepInput, SweepProgress, SweepResult } from '../experiment/sweep/sweep.ts'
import { ensureTemporal } from '../infra/temporal.mjs'
import { freePort } from '../host/free-port.ts'
import { startServer } from '../stack/server.ts'
import { spawnWorker } from '../stack/spawn-worker.ts'
import { progressQuery, sweepType, workflowId } from '../workflows/names.ts'

/**
 * The cost of a cell as a sweep grows to thousands of cells of a tiny experiment. Two processes do
 * the work, Temporal's development server and one worker. Prints a line for every 100 cells:
 * seconds and processor seconds per cell, resident memory of both processes, and the sizes of the
 * workflow's history and of the database. Then runs the same sweep again, whose results are all
 * cached.
 *
 *     npx tsx bench/sweep-scale.ts [CELLS] [MAX_PARALLEL]
 */
const [, , cellsText = '2000', parallelText = '4'] = process.argv
const cells = Number(cellsText)
const every = Math.min(100, Math.ceil(cells / 5))

const base = `
name: tiny
data: { name: digits }
split: { kind: class, classes: ['3'] }
model: { name: mlp, hidden: [8] }
training: { epochs: 1 }
gold: { models: 1 }
attack: { samples: 50 }
methods: [{ method: finetune, epochs: 1, batchSize: 512 }]
`
const sweepText = `
name: scale
base: base.yaml
random:
  samples: ${cells}
  of: { 'methods[0].optimizer.learningRate': { from: 1e-4, to: 1e-2, scale: log } }
set: { 'methods[0].optimizer.name': adam }
`

const directory = mkdtempSync(join(tmpdir(), 'zeroshift-scale-'))
writeFileSync(join(directory, 'base.yaml'), base)
writeFileSync(join(directory, 'sweep.yaml'), sweepText)
const database = join(directory, 'temporal.db')
const server = startServer({
  temporal: await ensureTemporal(),
  port: await freePort(),
  database,
  log: join(directory, 'temporal.log'),
})
const worker = await startWorker()
const connection = await connected()
try {
  const options = {
    config: join(directory, 'sweep.yaml'),
    overrides: [],
    store: `file://${join(directory, 'store')}`,
  }
  const prepared = await timed('prepare', async () => prepareSweep(options, await readSweep(options)))
  await timed('write the records', () => saveSweep(openArtifacts(prepared.store), prepared))
  await run(prepared.sweep.id, prepared.store)
  await timed('write the records again', () => saveSweep(openArtifacts(prepared.store), prepared))
  await run(prepared.sweep.id, prepared.store)
} finally {
  await connection.close()
  worker.kill('SIGKILL')
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
}

async function run(id: string, store: string): Promise<void> {
  const { workflow } = new Client({ connection })
  const handle = await workflow.start<(input: SweepInput) => Promise<SweepResult>>(sweepType, {
    workflowId: workflowId(id),
    taskQueue: 'zeroshift',
    args: [{ id, store, maxParallel: Number(parallelText) }],
  })
  const ended = handle.result()
  const latest = workflow.getHandle(workflowId(id))
  let [last, then, spent] = [0, performance.now(), processorSeconds()]
  const began = then
  let result: SweepResult | undefined
  void ended.then((value) => (result = value))
  for (;;) {
    await sleep(200)
    const { done } =
      result ?? (await latest.query<SweepProgress>(progressQuery).catch(() => ({ done: last })))
    if (done - last >= every || (result && done > last)) {
      const now = performance.now()
      const used = processorSeconds()
      const { historyLength, historySize = 0 } = await latest.describe()
      report({
        cells: done,
        'seconds a cell': (now - then) / 1000 / (done - last),
        'processor seconds a cell, worker': (used.worker - spent.worker) / (done - last),
        'processor seconds a cell, server': (used.server - spent.server) / (done - last),
        'MB, worker': memory(worker.pid ?? 0),
        'MB, server': memory(serverPid()),
        events: historyLength,
        'kB of history': historySize / 1000,
        'MB of database': statSync(database).size / 1e6,
      })
      ;[last, then, spent] = [done, now, used]
    }
    if (result) break
  }
  const seconds = (performance.now() - began) / 1000
  const { cached, failures } = await ended
  report({ cells, cached, failed: failures.length, seconds, 'cells a second': cells / seconds })
}

function report(figures: Readonly<Record<string, number>>): void {
  const rounded = Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))])
  console.log(JSON.stringify(Object.fromEntries(rounded)))
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const result = await work()
  console.log(JSON.stringify({ [what]: `${((performance.now() - began) / 1000).toFixed(1)} s` }))
  return result
}

async function startWorker(): Promise<ChildProcess> {
  const child = spawnWorker([server.address], join(directory, 'worker.log'))
  await once(child, 'message')
  return child
}

async function connected(): Promise<Connection> {
  return Connection.connect({ address: server.address })
}

/** The id of the Temporal server's process, a child of the guard, by its name and port. */
function serverPid(): number {
  const port = server.address.split(':')[1] ?? ''
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const isServer = (pid: string) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      return words[0]?.endsWith('temporal') && words.includes(port)
    } catch {
      return false
    }
  }
  return Number(pids.find(isServer) ?? 0)
}

function memory(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1] ?? 0) / 1000
}

function processorSeconds(): { readonly worker: number; readonly server: number } {
  const of = (pid: number) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  }
  return { worker: of(worker.pid ?? 0), server: of(serverPid()) }
}
