import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  CorruptBlobError,
  MissingBlobError,
  openArtifacts,
  type Artifacts,
} from '../../../artifacts/artifacts.ts'
import type { ManifestOf } from '../../../experiment/manifest.ts'
import { sampleRun } from '../../support/run.ts'

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zeroshift-artifacts-'))
  artifacts = openArtifacts(directory)
})
afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const some = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
const fileOf = (sha256: string) => join(directory, 'blobs', 'sha256', sha256.slice(0, 2), sha256)

function manifest(outputs: ManifestOf<'split'>['outputs'], seconds = 1): ManifestOf<'split'> {
  const { key, version, params, inputs } = sampleRun().run.plan.split
  return {
    ...{ kind: 'split', key, version, params, inputs, inputDigests: {}, outputs },
    metrics: {
      retained: 1,
      forget: 1,
      validation: 0,
      attackTest: 1,
      test: 1,
      forgottenTest: 0,
      forgottenClasses: [],
    },
    clock: {
      seconds,
      finishedAt: '2026-01-01T00:00:00.000Z',
      environment: { zeroshift: '0', node: 'v20', platform: 'linux-x64' },
    },
  }
}

test('a blob comes back as it was, and is stored once', async () => {
  const blob = await artifacts.putBlob(some)
  expect(await artifacts.putBlob(some.slice())).toEqual(blob)
  expect(await artifacts.getBlob(blob)).toEqual(Buffer.from(some))
  expect(await artifacts.store.list('blobs/')).toHaveLength(1)
})

test('one flipped bit is found, and the error names the file, both digests and the remedy', async () => {
  const blob = await artifacts.putBlob(some)
  const damaged = some.slice()
  damaged[500] = (damaged[500] ?? 0) ^ 1
  writeFileSync(fileOf(blob.sha256), damaged)
  const reading = artifacts.getBlob(blob)
  await expect(reading).rejects.toThrow(CorruptBlobError)
  await expect(reading).rejects.toThrow(fileOf(blob.sha256))
  await expect(reading).rejects.toThrow('Delete it and run the same command again')
})

test.each([
  [
    'deleted',
    MissingBlobError,
    (file: string) => {
      rmSync(file)
    },
  ],
  [
    'cut short',
    CorruptBlobError,
    (file: string) => {
      writeFileSync(file, some.subarray(0, 10))
    },
  ],
])(
  'a stage whose blob was %s is not complete, and storing the blob again heals it',
  async (_, expected, harm) => {
    const blob = await artifacts.putBlob(some)
    const kept = await artifacts.commit(manifest({ split: blob }))
    expect(await artifacts.complete(kept)).toEqual(kept)
    harm(fileOf(blob.sha256))
    expect(await artifacts.complete(kept)).toBeUndefined()
    await expect(artifacts.getBlob(blob)).rejects.toThrow(expected)
    await artifacts.putBlob(some)
    expect(await artifacts.complete(kept)).toEqual(kept)
  },
)

test('the first manifest of a stage stands', async () => {
  const first = manifest({}, 1)
  expect(await artifacts.commit(first)).toEqual(first)
  expect(await artifacts.commit(manifest({}, 2))).toEqual(first)
  expect(await artifacts.manifest({ kind: 'split', key: first.key })).toEqual(first)
  expect(await artifacts.manifest({ kind: 'split', key: 'f'.repeat(64) })).toBeUndefined()
})

test('a manifest whose blob is gone gives way to one whose blobs are there', async () => {
  const lost = await artifacts.putBlob(some)
  const first = await artifacts.commit(manifest({ split: lost }))
  rmSync(fileOf(lost.sha256))
  // As on another device: other bytes under the same key.
  const second = manifest({ split: await artifacts.putBlob(some.subarray(1)) }, 2)
  expect(await artifacts.commit(second)).toEqual(second)
  expect(await artifacts.complete(first)).toEqual(second)
})

test('a number that is not finite is refused before anything is written', async () => {
  const broken = manifest({}, NaN)
  await expect(artifacts.commit(broken)).rejects.toThrow('NaN')
  expect(await artifacts.store.list('stages/')).toEqual([])
})

test('a manifest that is not whole, or another stage’s, is refused', async () => {
  const { key } = await artifacts.commit(manifest({}))
  const file = join(directory, 'stages', 'split', key, 'manifest.json')
  const whole = readFileSync(file, 'utf8')
  writeFileSync(file, whole.slice(0, 100))
  await expect(artifacts.manifest({ kind: 'split', key })).rejects.toThrow('is not whole JSON')
  writeFileSync(file, whole.replace(`"key": "${key}"`, `"key": "${'0'.repeat(64)}"`))
  await expect(artifacts.manifest({ kind: 'split', key })).rejects.toThrow('is the manifest of split 0000')
  writeFileSync(file, 'null')
  await expect(artifacts.manifest({ kind: 'split', key })).rejects.toThrow(`expected split ${key}`)
})

test('runs and their reports', async () => {
  const { run } = sampleRun()
  expect(await artifacts.run(run.id)).toBeUndefined()
  await artifacts.putRun(run)
  const url = await artifacts.putReport(run.id, { 'index.html': '<p>é</p>' })
  expect(await artifacts.runs()).toEqual([run.id])
  expect(JSON.stringify(await artifacts.run(run.id))).toBe(JSON.stringify(run))
  expect(readFileSync(new URL(`${url}/index.html`), 'utf8')).toBe('<p>é</p>')
})
