/**
 * Data sets that are larger than the memory: the speed at which JPEGs of 224 px become shards and
 * shards become batches on the device, and the memory that this needs. Each phase is a separate
 * process with its own peak:
 *
 *     ZEROSHIFT_DATA=… npx tsx bench/streaming.ts make DIR [images]
 *     npx tsx bench/streaming.ts inspect DIR
 *     npx tsx bench/streaming.ts store DIR
 *     npx tsx bench/streaming.ts batches DIR [batches]
 *
 * The images are enlarged ones of CIFAR-10 with added noise, so that they compress like
 * photographs. $ZEROSHIFT_DATA/cifar10 must contain CIFAR-10's .bin files. The product's own code
 * runs: the reader, the stage that stores shards, and the data that models train on.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import sharp from 'sharp'
import { checkedPictures } from '../activities/inputs/checked-pictures.ts'
import { datasetStage } from '../activities/stages/dataset.ts'
import { deviceData } from '../activities/runtime/device.ts'
import { shardsOf } from '../activities/runtime/blob-codecs.ts'
import type { StageContext } from '../activities/runtime/stage.ts'
import { openArtifacts } from '../artifacts/artifacts.ts'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import type { BlobRef, ManifestOf } from '../experiment/records/manifest.ts'
import { layersOf } from '../experiment/models/model.ts'
import { plan } from '../experiment/plan/plan.ts'
import { dataSchema } from '../experiment/spec/data.ts'
import { modelSchema } from '../experiment/spec/model.ts'
import { specSchema } from '../experiment/spec/spec.ts'
import { Batches } from '../learning/data/batches.ts'
import { inspectDataset, IN_MEMORY_BYTES, readDataset } from '../datasets/index.ts'
import { forward } from '../learning/model/forward.ts'
import { initialWeights, parameterSpecs } from '../learning/model/parameters.ts'
import { parametersOf } from '../learning/model/predict.ts'
import { stream } from '../learning/random.ts'
import { tf } from '../learning/tensorflow/tf.ts'

const SIDE = 224
const BATCH = 64
const NOISE = 64

const [phase, folder = '', count = ''] = process.argv.slice(2)
const images = join(folder, 'images')
const model = modelSchema.parse({ name: 'cnn', channels: [8, 8], hidden: 16 })
const spec = specSchema.parse({
  name: 'streaming',
  data: { name: 'image-folder', size: [SIDE, SIDE], test: 0.1 },
  split: { kind: 'class', classes: ['0'] },
  model,
  training: { epochs: 1 },
  methods: [{ method: 'retrain' }],
})

const phases: Readonly<Record<string, () => Promise<object>>> = { make, inspect, store, batches }
const work = phases[phase ?? '']
if (!work || folder === '') throw new Error('expected make, inspect, store or batches, and a directory')
const started = performance.now()
const found = await work()
const seconds = (performance.now() - started) / 1000
const peakMb = Math.round(process.resourceUsage().maxRSS / 1000)
console.log(JSON.stringify({ phase, ...found, seconds: Number(seconds.toFixed(1)), peakMb }))

async function make() {
  const small = await readDataset(
    dataSchema.parse({
      name: 'cifar10',
      train: [1, 2, 3, 4].map((i) => `data_batch_${i}.bin`),
      test: ['data_batch_5.bin'],
    }),
    join(process.env.ZEROSHIFT_DATA ?? '', 'cifar10'),
  )
  const total = Number(count || 100_000)
  const random = stream(1, 'streaming')
  const noise = Int8Array.from({ length: 1_000_003 }, () => random.integer(NOISE) - NOISE / 2)
  for (let label = 0; label < 10; label++) await mkdir(join(images, String(label)), { recursive: true })
  const one = async (i: number) => {
    const source = i % small.labels.length
    const large = await sharp(await small.images(source, source + 1), {
      raw: { width: 32, height: 32, channels: 3 },
    })
      .resize(SIDE, SIDE, { kernel: 'cubic' })
      .raw()
      .toBuffer()
    const from = (i * 7919) % noise.length
    for (let p = 0; p < large.length; p++)
      large[p] = Math.max(0, Math.min(255, (large[p] ?? 0) + (noise[(from + p) % noise.length] ?? 0)))
    const raw = { width: SIDE, height: SIDE, channels: 3 } as const
    const jpeg = await sharp(large, { raw }).jpeg({ quality: 85 }).toBuffer()
    await writeFile(join(images, String(small.labels[source]), `${String(i).padStart(6, '0')}.jpg`), jpeg)
    return jpeg.length
  }
  let bytes = 0
  for (let first = 0; first < total; first += 16) {
    const some = Array.from({ length: Math.min(16, total - first) }, (_, i) => one(first + i))
    bytes += (await Promise.all(some)).reduce((sum, length) => sum + length, 0)
  }
  return { images: total, bytes }
}

async function recorded<T>(name: string): Promise<T> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as T
}

async function inspect() {
  const facts = await inspectDataset(spec.data, images, { decodingCache: checkedPictures })
  await writeFile(join(folder, 'facts.json'), JSON.stringify(facts))
  return { images: facts.train.reduce((sum, of) => sum + of, 0) }
}

async function store() {
  const facts = await recorded<DatasetFacts>('facts.json')
  const { dataset: stage } = plan(spec, facts)
  const artifacts = openArtifacts(join(folder, 'store'))
  const began = performance.now()
  let shards = 0
  const context = {
    stage,
    artifacts,
    settings: { store: artifacts.store.url, dataDirectory: images },
    inputs: {},
    allowsPrograms: false,
    host: {
      async step() {
        shards++
        await nextTurn()
      },
    },
    untimed: (work) => work(),
    timed: async <T>(task: () => T | Promise<T>) => ({ result: await task(), seconds: 0 }),
  } satisfies StageContext<'dataset'>
  const { outputs, metrics } = await datasetStage(IN_MEMORY_BYTES, 2 ** 26)(context)
  const blobs: Record<string, BlobRef> = {}
  for (const [name, output] of Object.entries(outputs))
    blobs[name] = output instanceof Uint8Array ? await artifacts.putBlob(output) : output
  const manifest = { kind: 'dataset', params: stage.params, outputs: blobs, metrics }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest))
  return { shards, storeSeconds: (performance.now() - began) / 1000 }
}

async function batches() {
  const manifest = await recorded<ManifestOf<'dataset'>>('manifest.json')
  const artifacts = openArtifacts(join(folder, 'store'))
  const began = performance.now()
  const { data, train } = await deviceData(artifacts, manifest, model)
  const opened = (performance.now() - began) / 1000
  const { shape, classes } = manifest.params.facts
  const layers = layersOf(model, shape, classes.length)
  const parameters = parametersOf(layers, initialWeights(parameterSpecs(layers), stream(1, 'streaming')))
  const steps = Number(count || 200)
  const rates: Record<string, number> = {}
  const run = async (name: string, order: string, step: (batch: Int32Array, next: Int32Array) => void) => {
    const some = new Batches(train, BATCH, 1, order)
    const from = performance.now()
    for (let i = 0; i < steps; i++) {
      tf.tidy(() => {
        step(some.at(i), some.at(i + 1))
      })
      await nextTurn()
    }
    rates[name] = Math.round((steps * BATCH) / ((performance.now() - from) / 1000))
  }
  const classify = (pixels: ReturnType<typeof data.images>) => {
    forward(layers, parameters, pixels).output.dataSync()
  }
  const still = tf.keep(data.images(train.subarray(0, BATCH)))
  // The batches differ in each run, so that the page cache of one run does not help the next.
  await run('device alone', 'a', () => {
    classify(still)
  })
  await run('batches alone', 'b', (batch) => {
    data.images(batch).sum().dataSync()
  })
  await run('batches, then device', 'c', (batch) => {
    classify(data.images(batch))
  })
  await run('batches ahead of device', 'd', (batch, next) => {
    const pixels = data.images(batch)
    data.prefetch(next)
    classify(pixels)
  })
  data.dispose()
  return { shards: shardsOf(manifest).length, checkedAndOpenedSeconds: opened, imagesPerSecond: rates }
}
