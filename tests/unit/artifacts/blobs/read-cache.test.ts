import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { readCache, ReadCache, refuseWithoutRoom } from '../../../../artifacts/blobs/read-cache.ts'
import { UserError } from '../../../../common/errors.ts'
import { testDirectory } from '../../../support/directories.ts'
import { pattern } from '../../../support/store-behaviour.ts'
let directory: string
beforeEach(() => {
  directory = join(testDirectory(), 'blobs')
})

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
/** The name of a cached file: the digest of its content and the beginning of that of its store. */
const nameOf = (bytes: Uint8Array) => `${digestOf(bytes)}-${digestOf(Buffer.from('s3://ours')).slice(0, 16)}`
const totalBytes = () =>
  readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0)

test('a blob is kept under its digest, for other processes too', async () => {
  const bytes = pattern(1000, 1)
  await new ReadCache(directory, 1e6, 's3://ours').put(digestOf(bytes), bytes)
  expect(readdirSync(directory)).toEqual([nameOf(bytes)])
  expect(await new ReadCache(directory, 1e6, 's3://ours').get(digestOf(bytes))).toEqual(bytes)
  expect(await new ReadCache(directory, 1e6, 's3://ours').get('0'.repeat(64))).toBeUndefined()
})

test('who knows the digest of a blob in another store is not given it', async () => {
  const bytes = pattern(1000, 1)
  await new ReadCache(directory, 1e6, 's3://ours').put(digestOf(bytes), bytes)
  expect(await new ReadCache(directory, 1e6, 's3://theirs').get(digestOf(bytes))).toBeUndefined()
})

test('a damaged file is removed, and counts as absent', async () => {
  const cache = new ReadCache(directory, 1e6, 's3://ours')
  const bytes = pattern(1000, 1)
  await cache.put(digestOf(bytes), bytes)
  writeFileSync(join(directory, nameOf(bytes)), bytes.subarray(1))
  expect(await cache.get(digestOf(bytes))).toBeUndefined()
  expect(readdirSync(directory)).toEqual([])
})

test('it stays below its limit, and what was not used for longest goes first', async () => {
  const cache = new ReadCache(directory, 10_000, 's3://ours')
  const used = pattern(1000, 0)
  await cache.put(digestOf(used), used)
  for (let i = 1; i < 40; i++) {
    const bytes = pattern(1000, i)
    await cache.put(digestOf(bytes), bytes)
    // As if minutes had gone by between two uses; the first one is used again and again.
    for (const name of readdirSync(directory)) {
      const { mtimeMs } = statSync(join(directory, name))
      utimesSync(join(directory, name), new Date(), new Date(mtimeMs - 60_000))
    }
    expect(await cache.get(digestOf(used))).toEqual(used)
    expect(totalBytes()).toBeLessThanOrEqual(10_000)
  }
  expect(readdirSync(directory)).toHaveLength(9)
  expect(existsSync(join(directory, nameOf(pattern(1000, 39))))).toBe(true)
  expect(existsSync(join(directory, nameOf(pattern(1000, 1))))).toBe(false)
})

test('a blob that would take half of it is not kept', async () => {
  await new ReadCache(directory, 1000, 's3://ours').put(digestOf(pattern(501, 1)), pattern(501, 1))
  expect(existsSync(directory)).toBe(false)
})

test('what a killed process was writing goes away', async () => {
  const cache = new ReadCache(directory, 1e6, 's3://ours')
  await cache.put(digestOf(pattern(9, 1)), pattern(9, 1))
  writeFileSync(join(directory, '.writing-old'), 'half')
  utimesSync(join(directory, '.writing-old'), new Date(), new Date(Date.now() - 2 * 3600e3))
  writeFileSync(join(directory, '.writing-now'), 'half')
  await new ReadCache(directory, 1e6, 's3://ours').put(digestOf(pattern(9, 2)), pattern(9, 2))
  expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual(['.writing-now'])
})

test('a directory that cannot be written to fails nothing', async () => {
  writeFileSync(directory, 'a file')
  const cache = new ReadCache(directory, 1e6, 's3://ours')
  await cache.put(digestOf(pattern(9, 1)), pattern(9, 1))
  expect(await cache.get(digestOf(pattern(9, 1)))).toBeUndefined()
})

test('many at once do not disturb each other', async () => {
  const blobs = Array.from({ length: 50 }, (_, i) => pattern(1000, i))
  await Promise.all(
    blobs.flatMap((bytes) => {
      const cache = new ReadCache(directory, 20_000, 's3://ours')
      return [
        cache.put(digestOf(bytes), bytes),
        cache.put(digestOf(bytes), bytes),
        cache.get(digestOf(bytes)),
      ]
    }),
  )
  const found = await Promise.all(
    blobs.map((bytes) => new ReadCache(directory, 20_000, 's3://ours').get(digestOf(bytes))),
  )
  for (const [i, bytes] of found.entries()) if (bytes) expect(bytes).toEqual(blobs[i])
  expect(readdirSync(directory).every((name) => /^[0-9a-f]{64}-[0-9a-f]{16}$/.test(name))).toBe(true)
})

test('its size is the user’s choice', () => {
  expect(readCache('s3://ours', {})).toBeInstanceOf(ReadCache)
  expect(readCache('s3://ours', { ZEROSHIFT_BLOB_CACHE_GB: '0.5' })).toBeInstanceOf(ReadCache)
  expect(readCache('s3://ours', { ZEROSHIFT_BLOB_CACHE_GB: '0' })).toBeUndefined()
  for (const size of ['', '-1', 'much', 'Infinity'])
    expect(() => readCache('s3://ours', { ZEROSHIFT_BLOB_CACHE_GB: size })).toThrow(UserError)
})

test('a file that is read in parts is fetched once, however many ask for it at a time', async () => {
  const bytes = pattern(1000, 3)
  let fetched = 0
  const fetch = async () => {
    fetched++
    await sleep(20)
    return bytes
  }
  const caches = Array.from({ length: 4 }, () => new ReadCache(directory, 10_000, 's3://ours'))
  const descriptors = await Promise.all(caches.map((cache) => cache.open(digestOf(bytes), fetch)))
  expect(fetched).toBe(1)
  const [file = '', ...others] = readdirSync(directory)
  expect(others).toEqual([])
  // An open file can still be read after it was removed to make room for others.
  rmSync(join(directory, file))
  for (const descriptor of descriptors) {
    const part = new Uint8Array(10)
    readSync(descriptor, part, 0, 10, 500)
    expect([...part]).toEqual([...bytes.subarray(500, 510)])
    closeSync(descriptor)
  }
})

test('a damaged file is fetched again before parts of it are read', async () => {
  const bytes = pattern(1000, 3)
  const cache = new ReadCache(directory, 10_000, 's3://ours')
  await cache.put(digestOf(bytes), bytes)
  writeFileSync(join(directory, readdirSync(directory)[0] ?? ''), pattern(1000, 4))
  const descriptor = await cache.open(digestOf(bytes), () => Promise.resolve(bytes))
  const whole = new Uint8Array(1000)
  readSync(descriptor, whole, 0, 1000, 0)
  expect([...whole]).toEqual([...bytes])
  closeSync(descriptor)
})

test('blobs that would not stay there together are refused, with the size that it takes', () => {
  const blobs = [1, 2].map((i) => ({ sha256: String(i), bytes: 500 }))
  expect(() => {
    refuseWithoutRoom(blobs, new ReadCache(directory, 1200, 's3://ours'))
  }).not.toThrow()
  for (const cache of [new ReadCache(directory, 1100, 's3://ours'), undefined])
    expect(() => {
      refuseWithoutRoom(blobs, cache)
    }).toThrow(/set ZEROSHIFT_BLOB_CACHE_GB to 1 or more/)
})
