import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeAll, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { decodeTensors } from '../../../artifacts/format/safetensors.ts'
import type { StageRef } from '../../../experiment/stages/stage.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { fileDirectory } from '../../support/directories.ts'
import { longRun } from '../../support/durable.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal } from '../../support/temporal.ts'
import { attempts } from './attempts.ts'

let server: TestTemporal
let directory: string
beforeAll(async () => {
  server = await forFile(temporalServer())
  directory = fileDirectory()
})

/**
 * TensorFlow's answer to a request for 64 TB. With oneDNN it takes 10 s, so that it is asked once.
 */
const refusal = (() => {
  let refused: Error | undefined
  return () => (refused ??= refusalOf())
})()

function refusalOf(): Error {
  const column = tf.ones([2 ** 22, 1])
  try {
    tf.matMul(column, column, false, true)
  } catch (error) {
    return error as Error
  } finally {
    column.dispose()
  }
  throw new Error('there was enough')
}

async function weights(store: string, stage: StageRef) {
  const artifacts = openArtifacts(store)
  const manifest = await artifacts.manifest(stage)
  if (!manifest?.outputs.model) throw new Error('there is no model')
  const { tensors } = decodeTensors(await artifacts.getBlob(manifest.outputs.model))
  return { tensors, environment: manifest.clock.environment }
}

test('a model that does not fit is trained in micro-batches by the next attempts, and is the same within float error', async () => {
  const input = await longRun({ name: 'memory', store: join(directory, 'small'), epochs: 2 })
  const { original, dataset } = input.run.plan
  const microBatches = await attempts(server, input, (count) => {
    if (count < 4) throw refusal()
  })
  expect(microBatches).toEqual([1, 2, 4])
  const cut = await weights(input.settings.store, original)
  expect(cut.environment.tensorflow).toMatchObject({ device: 'CPU', batchParts: 4 })

  const roomy = { ...input.settings, store: join(directory, 'large') }
  const all = createActivities()
  await new MockActivityEnvironment().run(all.dataset, { stage: dataset, settings: roomy })
  await new MockActivityEnvironment().run(all.train, { stage: original, settings: roomy })
  const whole = await weights(roomy.store, original)
  expect(whole.environment.tensorflow).not.toHaveProperty('batchParts')
  for (const [name, { values }] of Object.entries(whole.tensors)) {
    const others = cut.tensors[name]?.values ?? []
    expect(others).toHaveLength(values.length)
    expect(
      Math.max(...Array.from(values, (value, i) => Math.abs(Number(value) - Number(others[i])))),
    ).toBeLessThan(1e-4)
  }
})
