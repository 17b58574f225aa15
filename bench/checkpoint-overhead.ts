/**
 * The cost of checkpoints for a training: a ResNet-18 on images of CIFAR-10's shape, trained
 * through `durably` with a checkpoint every 30 seconds (the default) in a store on the local disk.
 * Counts all the time that the training waits between steps, for copying from the device, hashing,
 * writing and heartbeats.
 *
 *     node --import tsx bench/checkpoint-overhead.ts [STEPS] [BATCH]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

const [steps = 120, batchSize = 32] = process.argv.slice(2).map(Number)
const samples = 1024
const random = stream(1, 'bench')
const images = Uint8Array.from({ length: samples * 3072 }, () => random.integer(256))
const data = new DeviceData(images, new Int32Array(samples), {
  shape: [32, 32, 3],
  classes: 10,
  mean: [128, 128, 128],
  deviation: [64, 64, 64],
})
const model = modelSchema.parse({ name: 'resnet-cifar', depth: 'resnet18' })
const layers = layersOf(model, [32, 32, 3], 10)
const training = trainingSchema.parse({
  epochs: 1,
  batchSize,
  optimizer: { name: 'sgd', learningRate: 0.01, nesterov: true, weightDecay: 5e-4 },
})

const store = mkdtempSync(join(tmpdir(), 'zeroshift-bench-'))
const waits: number[] = []
try {
  const start = performance.now()
  await new MockActivityEnvironment().run(async () =>
    durably(
      {
        artifacts: openArtifacts(store),
        stage: { kind: 'train', key: 'bench', title: 'bench', params: training },
        settings: { store },
        inputs: () => Promise.resolve(''),
        stopping: new AbortController().signal,
      },
      async ({ host }) => {
        await fit({
          ...training,
          epochs: (steps * batchSize) / samples,
          ...{ layers, data, training, seed: 1, purpose: 'bench' },
          initial: initialWeights(parameterSpecs(layers), stream(1, 'weights')),
          indices: Int32Array.from({ length: samples }, (_, i) => i),
          host: {
            async step(progress, take) {
              const from = performance.now()
              await host.step(progress, take)
              waits.push((performance.now() - from) / 1000)
            },
          },
        })
      },
    ),
  )
  const seconds = (performance.now() - start) / 1000
  const saves = waits.filter((wait) => wait > 0.05)
  const waited = waits.reduce((sum, wait) => sum + wait, 0)
  const { length: parameters } = initialWeights(parameterSpecs(layers), stream(1, 'weights')).trained
  console.log(
    `${parameters} parameters; ${waits.length} steps of ${batchSize} samples in ${seconds.toFixed(1)} s; ` +
      `${saves.length} checkpoints, ${saves.map((save) => save.toFixed(2)).join(', ')} s; ` +
      `${((100 * waited) / seconds).toFixed(2)}% of the time`,
  )
} finally {
  rmSync(store, { recursive: true, force: true })
}
