import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { sha256 } from '../../../../common/canonical.ts'
import type { Purge } from '../../../../experiment/records/purge.ts'
import { madeLedger } from '../../../support/deletions.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { modelInUse, pixels, storePurgeable } from '../../../support/purged-ledger.ts'
import { forFile } from '../../../support/release.ts'
import { s3Place } from '../../../support/s3.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test('neither the bucket nor this machine’s cache of blobs has forgotten pixels after a purge', async () => {
  const place = await forFile(s3Place())
  const directory = testDirectory()
  vi.stubEnv('ZEROSHIFT_CACHE', directory)
  const artifacts = openArtifacts(`${place.url}/purged`)
  const { store } = artifacts
  await storePurgeable(artifacts)
  const blobs = await store.list('blobs/')
  for (const { path, bytes } of blobs) await artifacts.getBlob({ sha256: path.slice(-64), bytes })
  const cached = () => {
    const folder = join(directory, 'blobs')
    return readdirSync(folder).map((name) => readFileSync(join(folder, name)))
  }
  expect(cached()).toHaveLength(blobs.length)
  expect(cached().filter((bytes) => bytes.includes(pixels)).length).toBeGreaterThan(20)

  const said = await zeroshiftHere(directory, 'purge', madeLedger, '--json', '--store', store.url)
  expect(said.code, said.stderr).toBe(0)
  const { deleted, kept } = JSON.parse(said.stdout) as Purge
  expect(kept.map((one) => one.sha256)).toEqual([sha256(modelInUse)])
  expect(cached().map((bytes) => sha256(bytes))).toEqual([sha256(modelInUse)])
  const gone = new Set(deleted.map((one) => one.sha256))
  for (const { path } of await store.list('')) {
    const bytes = Buffer.from((await store.get(path)) ?? '')
    expect(bytes.includes(pixels), path).toBe(false)
    expect(gone.has(sha256(bytes)), path).toBe(false)
  }
  const again = await zeroshiftHere(directory, 'purge', madeLedger, '--json', '--store', store.url)
  expect(JSON.parse(again.stdout)).toMatchObject({ deleted, kept })
})
