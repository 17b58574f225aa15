/**
 * Delivers 100,000 metric points to one MLflow server with SQLite, with this project's client and
 * with MLflow's Python client in turn. The Python client makes one call per step, as `log_metrics`
 * in a training loop does, or the largest calls that the server accepts (`MlflowClient.log_batch`
 * with 1,000 points). `server alone` sends prepared bodies, one at a time and four at a time, which
 * measures the server's own time.
 *
 *     node --import tsx bench/mlflow-delivery.ts [WORKERS] [ROUNDS]
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Agent, request } from 'undici'
import { ensureMlflow } from '../infra/mlflow.mjs'
import { batches, lanes, type Metric } from '../tracking/limits.ts'
import { MlflowClient } from '../tracking/mlflow.ts'
import { startMlflow } from '../stack/mlflow-server.ts'
import { freePort } from '../host/free-port.ts'

const [workers = 4, rounds = 3] = process.argv.slice(2).map(Number)
const [keys, steps] = [20, 5000]
const metrics: Metric[] = Array.from({ length: keys * steps }, (_, i) => {
  const [step, key] = [Math.floor(i / keys), i % keys]
  return { key: `metric ${key}`, value: 1 / (step + key + 1), timestamp: 1_700_000_000_000 + step, step }
})

interface Took {
  readonly seconds: number
  /** Processor seconds of the client. */
  readonly cpu: number
  readonly run: string
}

interface Measured extends Took {
  /** Processor seconds of the server's processes. */
  readonly server: number
}

const directory = mkdtempSync(join(tmpdir(), 'zeroshift-bench-'))
const mlflow = await ensureMlflow()
const server = await startMlflow({
  mlflow,
  port: await freePort(),
  directory,
  log: join(directory, 'log'),
  workers,
})
const client = new MlflowClient(server.url)
const experiment = await client.experiment('bench')

async function newRun(): Promise<string> {
  const tags = { bench: String(performance.now()) }
  return (await client.createRun(experiment, { name: 'bench', startTime: 1, tags, mark: 'bench' })).run.id
}

async function timed(run: string, work: () => Promise<unknown>): Promise<Took> {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(cpu)
  return { seconds: (performance.now() - start) / 1000, cpu: (user + system) / 1e6, run }
}

async function python(pointsPerCall: number): Promise<Took> {
  const script = fileURLToPath(new URL('mlflow_delivery.py', import.meta.url))
  const { stdout } = await promisify(execFile)(
    join(dirname(mlflow), 'python'),
    [script, server.url, experiment, ...[keys, steps, pointsPerCall].map(String)],
    { env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' } },
  )
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Took
}

async function zeroshift(): Promise<Took> {
  const run = await newRun()
  return timed(run, () => client.log(run, { metrics }, { asks: false }))
}

async function serverAlone(atOnce: number): Promise<Took> {
  const run = await newRun()
  const bodies = lanes(metrics, atOnce).map((lane) =>
    batches({ metrics: lane }).map((batch) => `{"run_id":"${run}","metrics":[${batch.metrics.join(',')}]}`),
  )
  const dispatcher = new Agent()
  return timed(run, () =>
    Promise.all(
      bodies.map(async (lane) => {
        for (const body of lane) {
          const answer = await request(`${server.url}/api/2.0/mlflow/runs/log-batch`, {
            dispatcher,
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
          })
          if (answer.statusCode !== 200) throw new Error(await answer.body.text())
          await answer.body.dump()
        }
      }),
    ),
  )
}

/**
 * The number of points of one metric on the server, to check that all clients delivered the same.
 */
async function arrived(run: string): Promise<number> {
  const query = `run_id=${run}&metric_key=metric%207`
  const { body } = await request(`${server.url}/api/2.0/mlflow/metrics/get-history?${query}`)
  return ((await body.json()) as { metrics: unknown[] }).metrics.length
}

/** The processor seconds of all processes of the server. */
async function serverCpu(): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pgid,pid,args'])
  const lines = stdout.split('\n').map((line) => line.trim().split(/\s+/))
  const group = lines.find((words) => words.some((word) => word.includes(`${directory}/mlflow.db`)))?.[0]
  const pids = lines.flatMap(([pgid, pid]) => (pgid === group && pid !== undefined ? [pid] : []))
  // Ticks of user and system time, the 12th and 13th field after the name, 100 per second.
  const ticks = pids.map((pid) => {
    const words = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return Number(words[11]) + Number(words[12])
  })
  return ticks.reduce((sum, value) => sum + value, 0) / 100
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

try {
  const kinds = {
    'python, a call a step': () => python(keys),
    'python, batches': () => python(1000),
    zeroshift,
    'server alone, 1': () => serverAlone(1),
    'server alone, 4': () => serverAlone(4),
  }
  const took: Record<string, Measured[]> = {}
  const ratios: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(kinds)) {
      const before = await serverCpu()
      const done = await run()
      const result = { ...done, server: (await serverCpu()) - before }
      if ((await arrived(result.run)) !== steps) throw new Error(`${name}: not every point arrived`)
      took[name] = [...(took[name] ?? []), result]
    }
    const seconds = (name: string) => took[name]?.at(-1)?.seconds ?? NaN
    for (const name of Object.keys(kinds).filter((name) => name.startsWith('python')))
      ratios[name] = [...(ratios[name] ?? []), seconds(name) / seconds('zeroshift')]
  }
  console.log(
    `${keys * steps} points, ${keys} metrics; server with ${workers} workers over SQLite; ${availableParallelism()} cores; ${rounds} rounds in turn, medians`,
  )
  for (const [name, results] of Object.entries(took)) {
    const of = (part: 'seconds' | 'cpu' | 'server') =>
      median(results.map((result) => result[part]))
        .toFixed(1)
        .padStart(5)
    console.log(
      `${name.padEnd(22)}${of('seconds')} s; processor seconds: ${of('cpu')} client, ${of('server')} server`,
    )
  }
  for (const [name, values] of Object.entries(ratios))
    console.log(
      `${name} / zeroshift: ${median(values).toFixed(2)} (from ${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`,
    )
} finally {
  await server.stop()
  rmSync(directory, { recursive: true, force: true })
}
