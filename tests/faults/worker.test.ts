import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { stageFolder } from '../../artifacts/format/layout.ts'
import { stagesOf } from '../../experiment/stages/stage-list.ts'
import { stream } from '../../learning/random.ts'
import {
  heartbeatSeconds,
  leftovers,
  blobsOf,
  checkpointSeconds,
  ended,
  longRun,
  running,
  until,
  type Attempt,
} from '../support/durable.ts'
import { faultSite } from '../support/fault-site.ts'
import { campaign, figure } from '../support/campaign.ts'

/**
 * The length of the experiment: each training lasts for several checkpoints on a quick machine too.
 */
const length = { epochs: campaign ? 240 : 60 }

const at = faultSite(length)

const KILLS = campaign ? 25 : 4
const KILLS_PER_STAGE = campaign ? 7 : 1

test(`SIGKILL of the worker ${KILLS} times: the same bytes, each time from the newest checkpoint`, async () => {
  const input = await longRun({ ...length, store: join(at.site.directory, 'store') })
  const artifacts = openArtifacts(input.settings.store)
  const stages = new Map(stagesOf(input.run.plan).map((stage) => [stage.key, stage]))
  const random = stream(1, 'kills')
  let worker = await at.site.worker()
  const handle = await at.site.start(input)
  const kills: { stage: string; hadCheckpoint: boolean; secondsLost: number; resumedAfter: number }[] = []
  const killed = new Map<string, number>()
  /** For each interrupted stage, the step from which it must go on at least. */
  const owed = new Map<string, { readonly after: number; readonly from: number }>()
  const look = async () => {
    const attempts = await running(handle)
    for (const { key, attempt, resumedAt, step } of attempts) {
      const due = owed.get(key)
      // The server takes the one that was killed for alive until its heartbeat times out.
      if (!due || attempt <= due.after || step === undefined) continue
      expect(resumedAt).toBeGreaterThanOrEqual(due.from)
      owed.delete(key)
    }
    return attempts
  }
  let isOver = false
  const over = handle.result().finally(() => (isOver = true))
  over.catch(() => undefined)

  while (kills.length < KILLS) {
    const before = await until('a stage to interrupt, or the end', async () => {
      if (isOver) return 'the end'
      return (await look()).find(({ key }) => (killed.get(key) ?? 0) < KILLS_PER_STAGE)
    })
    if (before === 'the end') break
    // Short pauses more often than long ones: some stages take a tenth of a second.
    await sleep(1000 * random.uniform() ** 2)
    const victim = (await look()).find(({ key }) => key === before.key)
    const stage = stages.get(before.key)
    if (!victim || !stage) continue
    worker.kill('SIGKILL')
    const killedAt = { clock: Date.now(), counter: performance.now() }
    await ended(worker)
    killed.set(stage.key, (killed.get(stage.key) ?? 0) + 1)
    const newest = (await artifacts.store.list(`${stageFolder(stage)}checkpoints/`)).at(-1)
    if (newest)
      owed.set(stage.key, { after: victim.attempt, from: Number(/\/(\d+)-/.exec(newest.path)?.[1]) })
    worker = await at.site.worker()
    // Another stage may have waited for the worker, and goes first.
    await until('a step of any stage, or the end', async () => {
      const isOfThisWorker = ({ worker: identity, step }: Attempt) =>
        identity.startsWith(`${worker.pid}@`) && step !== undefined
      return isOver || (await look()).some(isOfThisWorker)
    })
    const resumedAfter = (performance.now() - killedAt.counter) / 1000
    // Of work: since the attempt began, or since its last checkpoint.
    const secondsLost = (killedAt.clock - Math.max(victim.startedAt, newest?.modified ?? 0)) / 1000
    kills.push({ stage: stage.title, hadCheckpoint: newest !== undefined, secondsLost, resumedAfter })
  }
  const { digest, failed } = await over
  figure('SIGKILL of the worker', { checkpointSeconds, heartbeatSeconds, kills })
  expect(kills).toHaveLength(KILLS)
  expect(failed).toEqual([])
  expect(digest).toBe(at.expected.digest)
  expect(await blobsOf(artifacts, input)).toEqual(at.expected.blobs)
  expect(await leftovers(artifacts)).toEqual([])
})

test('SIGTERM: hands over, and no work is repeated beyond the step in flight', async () => {
  const input = await longRun({
    ...length,
    store: join(at.site.directory, 'store'),
    // Only the last checkpoint is due. A busy machine must not count as silent, since another
    // attempt would then begin from nothing.
    settings: { checkpointSeconds: 3600, heartbeatSeconds: 30 },
  })
  const artifacts = openArtifacts(input.settings.store)
  const first = await at.site.worker()
  const handle = await at.site.start(input)
  const victim = await until('training', async () =>
    (await running(handle)).find(({ key, step = 0 }) => key === input.run.plan.original.key && step > 20),
  )
  const start = performance.now()
  first.kill('SIGTERM')
  await ended(first)
  const seconds = (performance.now() - start) / 1000
  // What `up` and an orchestrator's grace period build on.
  expect(seconds).toBeLessThan(10)
  const [kept] = await artifacts.store.list(`${stageFolder(input.run.plan.original)}checkpoints/`)
  const step = Number(/\/(\d+)-/.exec(kept?.path ?? '')?.[1])
  expect(step).toBeGreaterThanOrEqual(victim.step ?? Infinity)
  await at.site.worker()
  const next = await until('the next attempt', async () =>
    (await running(handle)).find(({ key, resumedAt }) => key === victim.key && resumedAt !== undefined),
  )
  expect(next.resumedAt).toBe(step)
  expect((await handle.result()).digest).toBe(at.expected.digest)
  expect(await blobsOf(artifacts, input)).toEqual(at.expected.blobs)
  figure('SIGTERM of the worker', { seconds })
})

test('a checkpoint that was cut off is not used', async () => {
  const input = await longRun({
    ...length,
    store: join(at.site.directory, 'store'),
    // A machine that is busy loading TensorFlow must not count as silent, since another attempt
    // would then go on from a later checkpoint.
    settings: { heartbeatSeconds: 8 },
  })
  const artifacts = openArtifacts(input.settings.store)
  const folder = `${stageFolder(input.run.plan.original)}checkpoints/`
  const worker = await at.site.worker()
  const handle = await at.site.start(input)
  const ofOriginal = async () =>
    (await running(handle)).find(({ key }) => key === input.run.plan.original.key)
  // The second is saved when the worker stops: a quick machine may come to the end of the training
  // before another one is due.
  await until('a checkpoint', async () => (await artifacts.store.list(folder)).length > 0)
  const { attempt = 1 } = (await ofOriginal()) ?? {}
  worker.kill('SIGTERM')
  await ended(worker)
  const saved = await artifacts.store.list(folder)
  expect(saved.length).toBeGreaterThanOrEqual(2)
  const [older, newer] = saved.slice(-2)
  truncateSync(fileURLToPath(artifacts.store.locate(newer?.path ?? '')), 1000)
  await at.site.worker()
  // On a slow machine, the one that was killed may have gone on from a checkpoint itself.
  const next = await until('the next attempt', async () => {
    const found = await ofOriginal()
    return found?.resumedAt !== undefined && found.attempt > attempt && found
  })
  expect(next.resumedAt).toBe(Number(/\/(\d+)-/.exec(older?.path ?? '')?.[1]))
  expect((await handle.result()).digest).toBe(at.expected.digest)
  expect(await blobsOf(artifacts, input)).toEqual(at.expected.blobs)
})
