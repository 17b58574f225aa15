import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { openArtifacts } from '../../artifacts/artifacts.ts'
import { campaign } from '../support/campaign.ts'
import { blobsOf, leftovers, longRun, running, until } from '../support/durable.ts'
import { faultSite } from '../support/fault-site.ts'
import { s3Proxy } from '../support/s3-proxy.ts'
import { s3Server } from '../support/s3.ts'

/** The length of the experiment. */
const length = { epochs: 20 }

const at = faultSite(length)

test('Temporal killed and started again with its database: the run goes on', async () => {
  const input = await longRun({ ...length, store: join(at.site.directory, 'store') })
  await at.site.worker()
  const handle = await at.site.start(input)
  await until('training', async () => (await running(handle)).some(({ step = 0 }) => step > 10))
  await at.site.killTemporal()
  await sleep(campaign ? 20_000 : 3_000)
  await at.site.startTemporal()
  const { digest } = await until('the result', () => handle.result().catch(() => undefined), 120)
  expect(digest).toBe(at.expected.digest)
  expect(await blobsOf(openArtifacts(input.settings.store), input)).toEqual(at.expected.blobs)
})

test('the S3 server away, then slow, then refusing a third of requests: the run goes on', async () => {
  const s3 = await s3Server()
  const faults = { delayMs: 0, refuseEvery: Infinity }
  const proxy = await s3Proxy(s3.endpoint, ({ number }) => ({
    delayMs: faults.delayMs,
    ...((number + 1) % faults.refuseEvery === 0 && { answer: { status: 503, code: 'ServiceUnavailable' } }),
  }))
  const own = { ...process.env }
  try {
    // This process looks into the store past the proxy, the worker works through it.
    Object.assign(process.env, s3.env)
    const store = `s3://${s3.bucket}/runs`
    const input = await longRun({ ...length, store })
    await at.site.worker({ env: { ...s3.env, AWS_ENDPOINT_URL_S3: proxy.url, ZEROSHIFT_BLOB_CACHE_GB: '0' } })
    const handle = await at.site.start(input)
    await until('training', async () => (await running(handle)).some(({ step = 0 }) => step > 10))
    await s3.kill()
    await sleep(campaign ? 60_000 : 4_000)
    await s3.start()
    faults.delayMs = 1_000
    await sleep(campaign ? 20_000 : 3_000)
    faults.delayMs = 0
    faults.refuseEvery = 3
    const { digest, failed } = await handle.result()
    faults.refuseEvery = Infinity
    expect(failed).toEqual([])
    expect(digest).toBe(at.expected.digest)
    // Every blob is read and checked.
    expect(await blobsOf(openArtifacts(store), input)).toEqual(at.expected.blobs)
  } finally {
    for (const name of Object.keys(s3.env))
      if (own[name] === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = own[name]
    await proxy.close()
    await s3.stop()
  }
})

test('a flipped byte in a blob and a blob that is gone are computed again, never used', async () => {
  const store = join(at.site.directory, 'store')
  const artifacts = openArtifacts(store)
  const first = await longRun({ ...length, store })
  await at.site.worker()
  await (await at.site.start(first)).result()
  const { original, split } = first.run.plan
  const blob = async (stage: typeof original | typeof split, name: string) => {
    const { sha256 = '' } = (await artifacts.manifest(stage))?.outputs[name] ?? {}
    return fileURLToPath(artifacts.store.locate(`blobs/sha256/${sha256.slice(0, 2)}/${sha256}`))
  }
  const model = await blob(original, 'model')
  const bytes = readFileSync(model)
  writeFileSync(
    model,
    bytes.map((byte, i) => (i === 5000 ? byte ^ 1 : byte)),
  )
  const cut = await blob(split, 'split')
  writeFileSync(cut, readFileSync(cut).subarray(0, 100))

  // Another fine-tuning reads both.
  const second = await longRun({ ...length, name: 'second', learningRate: 0.01, store })
  const { failed, computed } = await (await at.site.start(second)).result()
  expect(failed).toEqual([])
  // Its own four stages, the split and the original.
  expect(computed).toBeGreaterThanOrEqual(6)
  expect(readFileSync(model)).toEqual(bytes)
  expect(await blobsOf(artifacts, first)).toEqual(at.expected.blobs)
})

const mountable =
  spawnSync('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs none "$d" && umount "$d"']).status === 0

test.skipIf(!mountable)(
  `a full disk: a clear error, nothing corrupt, and the run goes on when there is room${mountable ? '' : ' (skipped: mounting a small file system is not permitted here)'}`,
  async () => {
    const store = join(at.site.directory, 'small')
    mkdirSync(store)
    const mount = (options: string) => {
      const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'none', store], {
        encoding: 'utf8',
      })
      if (status !== 0) throw new Error(stderr)
    }
    mount('size=200k')
    try {
      // On a busy machine two seconds pass while modules load.
      const input = await longRun({ ...length, store, settings: { heartbeatSeconds: 8 } })
      await at.site.worker()
      const handle = await at.site.start(input)
      const failure = await until('the error', async () => {
        const { raw } = await handle.describe()
        return raw.pendingActivities?.map(({ lastFailure }) => lastFailure?.message).find(Boolean)
      })
      expect(failure).toMatch(/^cannot write \d+ bytes to .*: ENOSPC/)
      mount('remount,size=200m')
      const { digest, failed } = await handle.result()
      expect(failed).toEqual([])
      expect(digest).toBe(at.expected.digest)
      const artifacts = openArtifacts(store)
      expect(await blobsOf(artifacts, input)).toEqual(at.expected.blobs)
      expect(await leftovers(artifacts)).toEqual([])
    } finally {
      spawnSync('umount', [store])
    }
  },
)
