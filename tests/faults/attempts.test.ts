import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import type { RunInput } from '../../experiment/records/run.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { cable } from '../support/cable.ts'
import { campaign } from '../support/campaign.ts'
import {
  attempts,
  blobsOf,
  checkpointSeconds,
  leftovers,
  longRun,
  running,
  until,
} from '../support/durable.ts'
import { faultSite } from '../support/fault-site.ts'

/** The length of the experiment: each training lasts for several checkpoints. */
const length = { epochs: campaign ? 240 : 60 }

const at = faultSite(length)

test('a worker that Temporal no longer hears goes on working: the stage passes to another, and the first one stops', async () => {
  const input = await longRun({ ...length, store: join(at.site.directory, 'store') })
  const artifacts = openArtifacts(input.settings.store)
  const line = await cable(Number(at.site.address.split(':')[1]))
  try {
    const first = await at.site.worker({ address: `127.0.0.1:${line.port}` })
    const handle = await at.site.start(input)
    await until('a stage that runs', async () => (await running(handle)).length > 0)
    await at.site.worker()
    const ofFirst = async () =>
      (await running(handle)).find(({ worker, step }) => worker.startsWith(`${first.pid}@`) && step)
    const victim = await until('a stage of the first worker', async () => {
      if (!(await ofFirst())) return undefined
      line.cut()
      // It may have ended before the cut.
      const cutOff = await ofFirst()
      if (!cutOff) line.mend()
      return cutOff
    })
    const { digest } = await handle.result()
    line.mend()
    expect((await attempts(handle, victim.key)).at(-1)).toBeGreaterThan(1)
    expect(digest).toBe(at.expected.digest)
    expect(await blobsOf(artifacts, input)).toEqual(at.expected.blobs)
    // Of one that had not stopped there would be a lease or a checkpoint.
    await sleep(2000 * checkpointSeconds)
    expect(await leftovers(artifacts)).toEqual([])
  } finally {
    line.close()
  }
})

test('two identical experiments that start together compute each stage once', async () => {
  const store = join(at.site.directory, 'store')
  const inputs = await Promise.all(['left', 'right'].map((name) => longRun({ ...length, name, store })))
  await Promise.all([at.site.worker(), at.site.worker()])
  const handles = await Promise.all(inputs.map((input) => at.site.start(input)))
  const results = await Promise.all(handles.map((handle) => handle.result()))
  const stages = new Set(inputs.flatMap(({ run }) => stagesOf(run.plan).map(({ key }) => key)))
  expect(results.reduce((sum, { computed }) => sum + computed, 0)).toBe(stages.size)
  expect(results.every(({ failed }) => failed.length === 0)).toBe(true)
  expect(await blobsOf(openArtifacts(store), inputs[0] as RunInput)).toEqual(at.expected.blobs)
})

test('a loss that is not finite fails its stage with step, rate and last finite loss, once; the rest goes on', async () => {
  const input = await longRun({
    epochs: 2,
    learningRate: 1e12,
    store: join(at.site.directory, 'store'),
    // On a busy machine TensorFlow takes long to load.
    settings: { heartbeatSeconds: 30 },
  })
  await at.site.worker()
  const handle = await at.site.start(input)
  const result = await handle.result()
  expect(result.failed.map(({ title }) => title)).toContain('unlearn by finetune')
  const [{ reason = '' } = {}] = result.failed
  expect(reason).toMatch(
    /^training diverged: the loss is (NaN|-?Infinity) at step \d+ \(learning rate 1000000000000\); (the last finite loss was|no loss before)/,
  )
  expect(new Set(await attempts(handle))).toEqual(new Set([1]))
})
