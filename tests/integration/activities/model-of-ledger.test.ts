import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { plannedFiles } from '../../../activities/inputs/given-model.ts'
import { openArtifacts } from '../../../artifacts/artifacts.ts'
import { blobPath } from '../../../artifacts/format/layout.ts'
import { UserError } from '../../../common/errors.ts'
import { errorOf } from '../../support/errors.ts'
import { testDirectory } from '../../support/directories.ts'
import { forFile } from '../../support/release.ts'
import { s3Server, type TestS3 } from '../../support/s3.ts'

let server: TestS3
beforeAll(async () => {
  server = await forFile(s3Server())
})
beforeEach(() => {
  for (const [name, value] of Object.entries({ ...server.env, ZEROSHIFT_CACHE: testDirectory() }))
    vi.stubEnv(name, value)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

test('the model in use is read from its blob in a bucket, which has no name of a model file', async () => {
  const artifacts = openArtifacts(`s3://${server.bucket}/results`)
  const [bytes, other] = ['a model', 'another model'].map((text) => new TextEncoder().encode(text))
  if (!bytes || !other) throw new Error('not reached')
  const blob = await artifacts.putBlob(bytes)
  await artifacts.putBlob(other)
  const place = artifacts.store.locate(blobPath(blob))
  const directory = await plannedFiles(place, [{ name: blob.sha256, ...blob }])
  expect(new Uint8Array(await readFile(join(directory, blob.sha256)))).toEqual(bytes)
  const wrong = plannedFiles(place, [{ name: blob.sha256, sha256: '0'.repeat(64), bytes: 7 }])
  expect((await errorOf(wrong, UserError)).message).toContain(`expected ${'0'.repeat(64)}`)
})
