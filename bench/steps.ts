/**
 * The time of one training step, of one step of residual feature alignment and of one pass over
 * 10,000 images: as TensorFlow graphs, operation by operation, and in PyTorch with both memory
 * layouts. Shapes, batches and optimizers are equal, and the variants take turns. Prints medians
 * and ratios.
 *
 *     node --import tsx bench/steps.ts [ROUNDS] [ROW]
 *
 * ROW measures only the rows whose names begin with it.
 *
 * PyTorch is that of the tests' Python environment (`node infra/bootstrap.mjs --with-peft`).
 * Without it, its columns are empty.
 */
import { spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { createInterface } from 'node:readline'
import type { Scalar, Tensor1D } from '@tensorflow/tfjs'
import { optimizerSchema, type OptimizerSpec } from '../experiment/spec/optimizer.ts'
import type { Layer } from '../experiment/models/layers.ts'
import { layersOf } from '../experiment/models/model.ts'
import { vitLayers } from '../experiment/models/vit.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { presentPeft } from '../infra/peft.mjs'
import { DeviceData } from '../learning/data/device-data.ts'
import { crossEntropy } from '../learning/training/losses.ts'
import { forward } from '../learning/model/forward.ts'
import { frozenTensors, initialWeights, parameterSpecs, unpack } from '../learning/model/parameters.ts'
import { parametersOf, predict } from '../learning/model/predict.ts'
import { stream } from '../learning/random.ts'
import { tensorflowEnvironment, tf } from '../learning/tensorflow/tf.ts'
import { train } from '../learning/training/train.ts'
import { pretrainedVit } from './pretrained-vit.ts'
import { drawRfaBatch, rfaProblem } from './rfa-problem.ts'

const [given, only = ''] = process.argv.slice(2)
const rounds = Number(given ?? 7)
const random = stream(1, 'bench')
const sgd = optimizerSchema.parse({ name: 'sgd', learningRate: 0.01, momentum: 0.9, weightDecay: 5e-4 })
const adam = optimizerSchema.parse({ name: 'adam', learningRate: 1e-3 })

interface Row {
  readonly name: string
  /** The number of steps in a round. */
  readonly count: number
  /** Takes this number of steps. */
  readonly run: (count: number) => Promise<unknown>
  /** The row of bench/steps_torch.py to compare with. */
  readonly torch: string
}

const cnn = modelOf({ name: 'cnn', channels: [32, 64], hidden: 128 })

const airbench = modelOf({ name: 'airbench', widths: [64, 128, 128] })
const resnet18 = modelOf({ name: 'resnet-cifar', depth: 'resnet18' })
const vit = vitLayers(pretrainedVit, 10)

const rows: readonly Row[] = [
  { name: 'rfa, features kept', count: 10, run: residualAlignment(), torch: 'rfa' },
  { name: 'rfa, PyTorch without keeping', count: 10, run: residualAlignment(), torch: 'rfa-plain' },
  { name: 'cnn, batch 64', count: 10, run: training(cnn, 64), torch: 'cnn-64' },
  { name: 'cnn, batch 256', count: 5, run: training(cnn, 256), torch: 'cnn-256' },
  { name: 'resnet-cifar 8, batch 128', count: 5, run: training(resnet(8), 128), torch: 'resnet8-128' },
  { name: 'resnet-cifar 20, batch 128', count: 3, run: training(resnet(20), 128), torch: 'resnet20-128' },
  { name: 'resnet18, batch 64', count: 2, run: training(resnet18, 64), torch: 'resnet18-64' },
  { name: 'airbench 93%, batch 1024', count: 3, run: training(airbench, 1024), torch: 'airbench-1024' },
  { name: 'vit, patch 8, batch 64', count: 3, run: training(vit, 64), torch: 'vit-64' },
  { name: 'cnn, forward, 10,000 images', count: 1, run: forwardPass(cnn), torch: 'forward-cnn' },
  {
    name: 'resnet-cifar 20, forward, 10,000 images',
    count: 1,
    run: forwardPass(resnet(20)),
    torch: 'forward-resnet20',
  },
]

function modelOf(fields: object): readonly Layer[] {
  return layersOf(modelSchema.parse(fields), [32, 32, 3], 10)
}

function resnet(depth: number): readonly Layer[] {
  return modelOf({ name: 'resnet-cifar', depth })
}

function dataOf(samples: number): DeviceData {
  const images = Uint8Array.from({ length: samples * 3072 }, () => random.integer(256))
  const labels = Int32Array.from({ length: samples }, () => random.integer(10))
  const scale = { mean: [128, 128, 128], deviation: [64, 64, 64] }
  return new DeviceData(images, labels, { shape: [32, 32, 3], classes: 10, ...scale })
}

function trainSteps(initial: Float32Array, optimizer: OptimizerSpec, loss: (flat: Tensor1D) => Scalar) {
  return (steps: number) =>
    train({ initial, steps, optimizer, schedule: { name: 'constant' }, loss: (flat) => loss(flat) })
}

function training(layers: readonly Layer[], batch: number): Row['run'] {
  const specs = parameterSpecs(layers)
  const images = dataOf(batch).images(Int32Array.from({ length: batch }, (_, i) => i))
  const labels = tf.tensor1d(
    Int32Array.from({ length: batch }, (_, i) => i % 10),
    'int32',
  )
  const initial = initialWeights(specs, stream(1, 'weights'))
  const frozen = frozenTensors(specs, initial.statistics)
  return trainSteps(initial.trained, sgd, (flat) => {
    const parameters = { ...unpack(specs.trained, flat), ...frozen }
    const { output, statistics } = forward(layers, parameters, images, { training: true })
    tf.dispose(statistics)
    return crossEntropy(output, labels)
  })
}

function residualAlignment(): Row['run'] {
  const { initial, kept } = rfaProblem()
  return trainSteps(initial, adam, (ab) => kept(ab, drawRfaBatch(random)))
}

function forwardPass(layers: readonly Layer[]): Row['run'] {
  const data = dataOf(10_000)
  const all = Int32Array.from({ length: 10_000 }, (_, i) => i)
  const parameters = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'weights')))
  return async (passes) => {
    for (let i = 0; i < passes; i++) await predict(layers, parameters, data, all, 500)
  }
}

/** Milliseconds of a step, without the first steps that make the graph. */
async function milliseconds({ run, count }: Row, setting: 'always' | 'never'): Promise<number> {
  process.env.ZEROSHIFT_GRAPHS = setting
  const timed = async (steps: number) => {
    const started = performance.now()
    await run(steps)
    return performance.now() - started
  }
  // A training of one step makes the same graph.
  const one = await timed(1)
  return count === 1 ? one : ((await timed(count + 1)) - one) / count
}

/** Starts the Python process, which measures rows on request. */
function startTorch(python: string, threads: number) {
  const child = spawn(python, ['bench/steps_torch.py', String(threads)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => String((await lines.next()).value)
  return {
    answer,
    async milliseconds(name: string, layout: string, count: number): Promise<number> {
      child.stdin.write(`${name} ${layout} ${count}\n`)
      return Number(await answer())
    },
    stop: () => child.kill(),
  }
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

const { version, device, threads, oneDnn } = tensorflowEnvironment()
const python = presentPeft()
const torch = python === undefined ? undefined : startTorch(python, threads)
console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${threads} threads, TensorFlow ${version} (${device}, oneDNN ${oneDnn ? 'on' : 'off'}), ` +
    `PyTorch ${torch ? await torch.answer() : 'not installed'}; medians of ${rounds} rounds in turn, milliseconds`,
)
console.log('')
console.log(
  '| step | graph | eager | PyTorch NCHW | PyTorch channels_last | eager / graph | best PyTorch / graph |',
)
console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
for (const row of rows.filter(({ name }) => name.startsWith(only))) {
  const times: Record<'graph' | 'eager' | 'nchw' | 'channels_last', number[]> = {
    graph: [],
    eager: [],
    nchw: [],
    channels_last: [],
  }
  await milliseconds(row, 'always')
  for (let round = 0; round < rounds; round++) {
    times.graph.push(await milliseconds(row, 'always'))
    times.eager.push(await milliseconds(row, 'never'))
    if (!torch) continue
    for (const layout of ['nchw', 'channels_last'] as const)
      times[layout].push(await torch.milliseconds(row.torch, layout, row.count))
  }
  const { graph, eager, nchw, channels_last: last } = times
  const ratios = (over: readonly number[]) => median(over.map((value, i) => value / (graph[i] ?? NaN)))
  const best = median(nchw) < median(last) ? nchw : last
  const shown = [...[graph, eager, nchw, last].map((values) => median(values).toFixed(1))]
  const cells = [row.name, ...shown, ratios(eager).toFixed(2), ratios(best).toFixed(2)]
  console.log(`| ${cells.map((cell) => (cell === 'NaN' ? '' : cell)).join(' | ')} |`)
}
torch?.stop()
