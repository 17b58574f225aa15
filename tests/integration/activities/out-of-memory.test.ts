import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { beforeAll, expect, test } from 'vitest'
import { createActivities } from '../../../activities/index.ts'
import { stageActivity, type StageBody } from '../../../activities/runtime/stage.ts'
import { train } from '../../../activities/stages/train.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { decodeTensors } from '../../../artifacts/format/safetensors.ts'
import type { RunInput, RunResult } from '../../../experiment/records/run.ts'
import type { StageRef } from '../../../experiment/stages/stage.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { workflowId, workflowType } from '../../../workflows/names.ts'
import { fileDirectory } from '../../support/directories.ts'
import { longRun } from '../../support/durable.ts'
import { forFile } from '../../support/release.ts'
import { temporalServer, type TestTemporal, withWorker } from '../../support/temporal.ts'

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

/** An experiment whose original is refused memory by `fails` for so many micro-batches. */
async function attempts(input: RunInput, fails: (microBatches: number) => void): Promise<readonly number[]> {
  const microBatches: number[] = []
  const cramped: StageBody<'train'> = (context) => {
    if (context.stage.key === input.run.plan.original.key) {
      const { microBatches: now = 1 } = context.host
      microBatches.push(now)
      fails(now)
    }
    return train(context)
  }
  const activities = { ...createActivities(), train: stageActivity('train', () => Promise.resolve(cramped)) }
  const result = await withWorker(server.address, activities, async () => {
    const handle = await server.client.workflow.start<(input: RunInput) => Promise<RunResult>>(workflowType, {
      workflowId: workflowId(input.run.id),
      taskQueue: 'zeroshift',
      args: [input],
    })
    return handle.result()
  })
  expect(result.failed).toEqual([])
  return microBatches
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
  const microBatches = await attempts(input, (count) => {
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

/** Blocks the event loop, as an allocation does that TensorFlow takes 10 s to refuse. */
function block(seconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000 * seconds)
}

test.each([
  ['for less than the heartbeat timeout that runs have unless they say otherwise', undefined],
  ['for so long that the server has given the attempt up', 2],
])(
  'a step that blocks and then fails for lack of memory, %s, is done in smaller micro-batches',
  async (_, seconds) => {
    const store = join(directory, `blocked-${seconds}`)
    const { settings, ...input } = await longRun({ name: `blocked-${seconds}`, store, epochs: 1 })
    const { heartbeatSeconds: _short, ...others } = settings
    const given = { ...others, ...(seconds !== undefined && { heartbeatSeconds: seconds }) }
    const microBatches = await attempts({ ...input, settings: given }, (count) => {
      if (count > 1) return
      block(12)
      throw new Error('Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[4194304,4194304]')
    })
    expect(microBatches).toEqual([1, 2])
  },
)
