/**
 * The cost of telemetry for a training. Processes take the steps of a small MLP, the shortest steps
 * there are, through `durably`, alternately without metrics and with them. With metrics every step
 * is counted and `/metrics` is scraped every 15 seconds, as is usual. The ratio is the median over
 * pairs of processes, for processor time and for wall time.
 *
 *     node --import tsx bench/telemetry-overhead.ts [STEPS] [PAIRS]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { MockActivityEnvironment } from '@temporalio/testing'
import { durably } from '../activities/runtime/durable.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import { layersOf } from '../experiment/models/model.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { trainingSchema } from '../experiment/spec/training.ts'
import { DeviceData } from '../learning/data/device-data.ts'
import { fit } from '../learning/training/fit.ts'
import { initialWeights, parameterSpecs } from '../learning/model/parameters.ts'
import { stream } from '../learning/random.ts'
import { freePort } from '../host/free-port.ts'
import { startTelemetry } from '../worker/telemetry/telemetry.ts'

interface Cost {
  readonly cpu: number
  readonly wall: number
}

/** Trains in this process, with metrics if a port is given. Returns the seconds. */
async function train(steps: number, port: number | undefined): Promise<Cost> {
  const samples = 1024
  const batchSize = 32
  const random = stream(1, 'bench')
  const images = Uint8Array.from({ length: samples * 64 }, () => random.integer(256))
  const scale = { mean: [128], deviation: [64] }
  const data = new DeviceData(images, new Int32Array(samples), { shape: [8, 8, 1], classes: 10, ...scale })
  const layers = layersOf(modelSchema.parse({ name: 'mlp', hidden: [16] }), [8, 8, 1], 10)
  const training = trainingSchema.parse({ epochs: 1, batchSize })
  const store = mkdtempSync(join(tmpdir(), 'zeroshift-bench-'))
  const { interceptor, close } = await startTelemetry(
    port === undefined ? undefined : { host: '127.0.0.1', port },
  )
  const interceptors = port === undefined ? [] : [interceptor]
  try {
    return await new MockActivityEnvironment({}, { interceptors }).run(async () => {
      const task = {
        artifacts: openArtifacts(store),
        stage: { kind: 'train', key: 'bench', title: 'bench', params: {} },
        settings: { store },
        inputs: () => Promise.resolve(''),
        stopping: new AbortController().signal,
      } as const
      const run = (count: number) =>
        durably(task, async ({ host }) => {
          const start = { cpu: process.cpuUsage(), wall: performance.now() }
          await fit({
            ...training,
            epochs: (count * batchSize) / samples,
            ...{ layers, data, training, seed: 1, purpose: 'bench' },
            initial: initialWeights(parameterSpecs(layers), stream(1, 'weights')),
            indices: Int32Array.from({ length: samples }, (_, i) => i),
            host,
          })
          const { user, system } = process.cpuUsage(start.cpu)
          return { cpu: (user + system) / 1e6, wall: (performance.now() - start.wall) / 1000 }
        })
      await run(320)
      return (await run(steps)) ?? { cpu: NaN, wall: NaN }
    })
  } finally {
    await close()
    rmSync(store, { recursive: true, force: true })
  }
}

async function inProcess(steps: number, port: number | undefined): Promise<Cost> {
  const file = fileURLToPath(import.meta.url)
  const args = [
    '--import',
    'tsx',
    file,
    'train',
    String(steps),
    ...(port === undefined ? [] : [String(port)]),
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const asking = setInterval(() => {
    if (port !== undefined)
      void fetch(`http://127.0.0.1:${port}/metrics`).then(
        (answer) => answer.text(),
        () => '',
      )
  }, 15_000)
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')])
  clearInterval(asking)
  return JSON.parse(said.trim().split('\n').at(-1) ?? '') as Cost
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const [mode, ...rest] = process.argv.slice(2)
if (mode === 'train') {
  const [steps = 0, port] = rest.map(Number)
  console.log(JSON.stringify(await train(steps, port)))
  process.exit(0)
}
const [steps = 5000, pairs = 7] = process.argv.slice(2).map(Number)
const ratios: Cost[] = []
for (let pair = 0; pair < pairs; pair++) {
  const modes = pair % 2 === 0 ? [false, true] : [true, false]
  const costs = new Map<boolean, Cost>()
  for (const seen of modes) costs.set(seen, await inProcess(steps, seen ? await freePort() : undefined))
  const [without, seen] = [costs.get(false), costs.get(true)]
  if (!without || !seen) continue
  ratios.push({ cpu: seen.cpu / without.cpu, wall: seen.wall / without.wall })
  console.log(
    `${((1e6 * without.wall) / steps).toFixed(0)} µs a step without, ${((1e6 * seen.wall) / steps).toFixed(0)} µs with; ` +
      `processor time ${without.cpu.toFixed(2)} s and ${seen.cpu.toFixed(2)} s`,
  )
}
console.log(
  `${pairs} pairs of ${steps} steps: ratio with metrics to without, median: ` +
    `${median(ratios.map(({ cpu }) => cpu)).toFixed(3)} of processor time, ${median(ratios.map(({ wall }) => wall)).toFixed(3)} of wall time`,
)
