import { beforeEach, expect, test } from 'vitest'
import { durably } from '../../../activities/runtime/durable.ts'
import { openArtifacts, type Artifacts } from '../../../artifacts/artifacts.ts'
import { Checkpoints } from '../../../artifacts/progress/checkpoints.ts'
import type { TensorFlowEnvironment } from '../../../experiment/records/manifest.ts'
import { tensorflowEnvironment } from '../../../learning/tensorflow/tf.ts'
import { quietEnvironment } from '../../support/activity-environment.ts'
import { testDirectory } from '../../support/directories.ts'
import { sampleRun } from '../../support/run.ts'

/**
 * A stage goes on only from checkpoints of the same device, since the bytes of its result depend on
 * the device.
 */
const stage = sampleRun().run.plan.original
let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

/** The step from which an attempt goes on that finds a checkpoint of this device. */
async function goesOnFrom(tensorflow: TensorFlowEnvironment): Promise<number | undefined> {
  const vectors = { parameters: Float32Array.of(1, 2) }
  await new Checkpoints(artifacts, stage).save({ step: 40, vectors, notes: {}, seconds: 1, tensorflow })
  const environment = quietEnvironment()
  const settings = { store: directory }
  const stopping = new AbortController().signal
  const inputs = () => Promise.resolve('these')
  return environment.run(() =>
    durably({ artifacts, stage, settings, inputs, stopping }, ({ host }) =>
      Promise.resolve(host.snapshot?.step),
    ),
  )
}

test('a stage goes on from a checkpoint of the same device', async () => {
  expect(await goesOnFrom(tensorflowEnvironment())).toBe(40)
})

const here = tensorflowEnvironment()
test.each<[string, Partial<TensorFlowEnvironment>]>([
  ['oneDNN on or off', { oneDnn: !here.oneDnn }],
  ['a number of threads', { threads: here.threads + 1 }],
  ['a version of TensorFlow', { version: '2.9.1' }],
  ['a GPU', { device: 'GPU', gpu: 'NVIDIA H100 80GB HBM3' }],
  ['parts of a batch', { batchParts: 2 }],
])('a stage begins anew where its checkpoint is of another device: %s', async (_, other) => {
  expect(await goesOnFrom({ ...here, ...other })).toBeUndefined()
})

test('a stage begins anew where nobody knows whether oneDNN made its checkpoint', async () => {
  const { oneDnn: _, ...older } = here
  expect(await goesOnFrom(older)).toBeUndefined()
})
