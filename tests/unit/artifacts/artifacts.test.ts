import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { Artifacts, openArtifacts } from '../../../artifacts/artifacts.ts'
import { CorruptBlobError } from '../../../artifacts/blobs/blob-errors.ts'
import { ReadCache } from '../../../artifacts/blobs/read-cache.ts'
import { openStore } from '../../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../../artifacts/store/object-store.ts'
import { sha256 } from '../../../common/canonical.ts'
import { artifactsBehaviour, pathOf } from '../../support/artifacts-behaviour.ts'
import { testDirectory } from '../../support/directories.ts'
import { pattern } from '../../support/store-behaviour.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

describe('artifacts in a directory', () => {
  artifactsBehaviour(() => openArtifacts(directory))
})

describe('reads of blobs', () => {
  /** A store whose answers to getHashed go through `change`, with the number of the read. */
  const changing = (change: (bytes: Uint8Array, read: number) => Uint8Array) => {
    const store = openStore(join(directory, 'store'))
    let reads = 0
    const changed: ObjectStore = Object.create(store, {
      getHashed: {
        value: async (path: string) => {
          const found = await store.getHashed(path)
          const bytes = found && change(found.bytes, ++reads)
          return bytes && { bytes, sha256: sha256(bytes) }
        },
      },
    }) as ObjectStore
    return { store: changed, reads: () => reads }
  }
  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))
  const bytes = pattern(1000, 1)

  test('are repeated once where other bytes came', async () => {
    const { store, reads } = changing((bytes, read) => (read === 1 ? flipped(bytes) : bytes))
    const artifacts = new Artifacts(store)
    expect(await artifacts.getBlob(await artifacts.putBlob(bytes))).toEqual(bytes)
    expect(reads()).toBe(2)
  })

  test('fail where other bytes came again, which are not kept', async () => {
    const { store, reads } = changing(flipped)
    const cache = new ReadCache(join(directory, 'cache'), 1e6, 's3://ours')
    const artifacts = new Artifacts(store, cache)
    const blob = await artifacts.putBlob(bytes)
    await expect(artifacts.getBlob(blob)).rejects.toThrow(CorruptBlobError)
    expect(reads()).toBe(2)
    expect(await cache.get(blob.sha256)).toBeUndefined()
  })

  test('are answered from the cache, where there is one', async () => {
    const { store, reads } = changing((bytes) => bytes)
    const artifacts = new Artifacts(store, new ReadCache(join(directory, 'cache'), 1e6, 's3://ours'))
    const blob = await artifacts.putBlob(bytes)
    for (let i = 0; i < 3; i++) expect(await artifacts.getBlob(blob)).toEqual(bytes)
    expect(reads()).toBe(1)
    await artifacts.store.delete(pathOf(blob))
    rmSync(join(directory, 'cache'), { recursive: true })
    await expect(artifacts.getBlob(blob)).rejects.toThrow('is missing')
  })
})
