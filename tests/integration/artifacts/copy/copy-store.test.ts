import { blobPath } from '../../../../artifacts/format/layout.ts'
import { copiedOf, writeCopy } from '../../../../artifacts/copy/write-copy.ts'
import { planCopy } from '../../../../artifacts/copy/plan-copy.ts'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../../../artifacts/store/object-store.ts'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { s3Options } from '../../../../artifacts/store/s3-options.ts'
import { S3Store } from '../../../../artifacts/store/s3-store.ts'
import { flawIn } from '../../../../cli/actions/store-copy.ts'
import { zeroshift } from '../../../support/command.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { damageOf, makeStore } from '../../../support/made-store.ts'
import { forFile } from '../../../support/release.ts'
import { s3Place, type TestS3 } from '../../../support/s3.ts'
import { s3Proxy, type AskedRequest } from '../../../support/s3-proxy.ts'
import { pattern } from '../../../support/store-behaviour.ts'

let place: Awaited<ReturnType<typeof s3Place>>
let root: string
let made: FileStore
beforeAll(async () => {
  place = await forFile(s3Place())
  root = fileDirectory()
  made = new FileStore(join(root, 'made'))
  const signed = { by: 0, stages: [0, 3, 4], reports: [2] } as const
  await makeStore(made, { runs: [2], sweep: true, signed, own: [2] })
})

const inBucket = () => openStore(`${place.url}/${randomUUID()}`)
const inDirectory = () => new FileStore(join(root, randomUUID()))
const given = Boolean(process.env.ZEROSHIFT_TEST_S3_URL)

async function copy(from: ObjectStore, to: ObjectStore) {
  const planned = await planCopy(from, to, { reportFlaw: flawIn(from) })
  await writeCopy(planned, { pages: true })
  return copiedOf(planned)
}
async function digestsOf(store: ObjectStore): Promise<Readonly<Record<string, string | undefined>>> {
  const objects = await store.list('')
  return Object.fromEntries(
    await Promise.all(
      objects.map(async ({ path }) => [path, (await store.getHashed(path))?.sha256] as const),
    ),
  )
}

test('from a directory into a bucket and back, everything is the same', async () => {
  const [bucket, back] = [inBucket(), inDirectory()]
  const { copied } = await copy(made, bucket)
  await copy(bucket, back)
  const digests = await digestsOf(made)
  expect(await digestsOf(bucket)).toEqual(digests)
  expect(await digestsOf(back)).toEqual(digests)
  expect(await damageOf(bucket)).toEqual([])
  expect((await copy(made, bucket)).present).toEqual(copied)
})

test('a blob that takes several parts is copied', async () => {
  const from = inDirectory()
  const [manifest] = await makeStore(from, { runs: [2] })
  const artifacts = openArtifacts(from.url)
  const large = await artifacts.putBlob(pattern(40 * 2 ** 20, 1))
  if (!manifest) throw new Error('expected a stage')
  // A stage with other bytes: nothing that was computed from it may stay.
  for (const { path } of [...(await from.list('stages/')), ...(await from.list('runs/'))])
    await from.delete(path)
  await artifacts.commit({ ...manifest, outputs: { large } })
  const to = inBucket()
  await copy(from, to)
  expect((await to.getHashed(blobPath(large)))?.sha256).toBe(large.sha256)
})

test('the command goes on from a bucket to a directory, and says so as one JSON object', async () => {
  const bucket = inBucket()
  await copy(made, bucket)
  const { code, stdout } = await zeroshift(root, 'store', 'copy', bucket.url, 'by-command', '--json').ended
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    from: bucket.url,
    dryRun: false,
    copied: { runs: 1, sweeps: 1 },
  })
  expect(await digestsOf(new FileStore(join(root, 'by-command')))).toEqual(await digestsOf(made))
})

describe.skipIf(given)('with a server of our own', () => {
  test('a blob is read from the bucket, not from the cache of this machine', async () => {
    vi.stubEnv('ZEROSHIFT_CACHE', join(root, 'cache'))
    try {
      const bucket = inBucket()
      await copy(made, bucket)
      const artifacts = openArtifacts(bucket.url)
      const [blob] = await bucket.list('blobs/')
      const sha256 = blob?.path.split('/').at(-1) ?? ''
      await artifacts.getBlob({ sha256, bytes: blob?.bytes ?? 0 })
      const { directory } = place.server as TestS3
      const file = join(directory, bucket.locate(blob?.path ?? '').slice('s3://'.length))
      writeFileSync(file, Buffer.alloc(blob?.bytes ?? 0))
      // The cache has it still.
      await artifacts.getBlob({ sha256, bytes: blob?.bytes ?? 0 })
      await expect(copy(bucket, inDirectory())).rejects.toThrow(bucket.locate(blob?.path ?? ''))
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('ended at any write, the copy is sound, and the next one sends the rest alone', async () => {
    let left = Infinity
    let sent: string[] = []
    const proxy = await s3Proxy((place.server as TestS3).endpoint, ({ method, url }: AskedRequest) => {
      if (method !== 'PUT') return {}
      if (left-- <= 0) return { answer: { status: 403, code: 'AccessDenied' } }
      sent.push(decodeURIComponent(new URL(url, 'http://host').pathname))
      return {}
    })
    try {
      const options = s3Options({ ...process.env, AWS_ENDPOINT_URL_S3: proxy.url })
      const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(place.url) ?? []
      const objects = (await made.list('')).length
      for (let writes = 0; writes < objects; writes++) {
        const store = new S3Store(bucket, `${prefix}/${randomUUID()}`, options)
        sent = []
        left = writes
        await expect(copy(made, store)).rejects.toThrow('access is denied')
        expect(sent).toHaveLength(writes)
        expect(await damageOf(store)).toEqual([])
        left = Infinity
        await copy(made, store)
        // A run or a sweep whose report was not there yet is written again as a whole, and so are
        // the signatures of a stage whose manifest was not there yet.
        const twice = sent.filter((path, i) => sent.indexOf(path) < i)
        expect(twice.filter((path) => !/\/(runs|sweeps|signatures)\//.test(path))).toEqual([])
        expect(new Set(sent).size).toBe(objects)
        expect(await damageOf(store)).toEqual([])
      }
    } finally {
      await proxy.close()
    }
  })
})
