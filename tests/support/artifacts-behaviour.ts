import { closeSync, fstatSync, readSync } from 'node:fs'
import { beforeEach, expect, test } from 'vitest'
import type { Artifacts } from '../../artifacts/artifacts.ts'
import { CorruptBlobError, MissingBlobError } from '../../artifacts/blobs/blob-errors.ts'
import { signaturesIn, signStage } from '../../artifacts/stored-signatures.ts'
import { manifestDigest, type BlobRef, type ManifestOf } from '../../experiment/records/manifest.ts'
import { stageClaims } from '../../signatures/claims.ts'
import { newSigningKey } from '../../signatures/keys.ts'
import { verifyEnvelope } from '../../signatures/statement.ts'
import { sampleRun } from './run.ts'
import { bytesOf, textOf } from './store-behaviour.ts'

const some = Uint8Array.from({ length: 1000 }, (_, i) => i % 251)
export const pathOf = ({ sha256 }: BlobRef) => `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`

/**
 * Tests the behaviour of artifacts in any kind of store. `open` returns empty ones for each test.
 */
export function artifactsBehaviour(open: () => Artifacts | Promise<Artifacts>): void {
  let artifacts: Artifacts
  beforeEach(async () => {
    artifacts = await open()
  })

  test('a blob comes back as it was, and is stored once', async () => {
    const blob = await artifacts.putBlob(some)
    expect(await artifacts.putBlob(some.slice())).toEqual(blob)
    expect(Buffer.from(await artifacts.getBlob(blob))).toEqual(Buffer.from(some))
    expect(await artifacts.store.list('blobs/')).toHaveLength(1)
  })

  test('one flipped bit is found, and the error names the object and the remedy', async () => {
    const blob = await artifacts.putBlob(some)
    const damaged = some.slice()
    damaged[500] = (damaged[500] ?? 0) ^ 1
    await artifacts.store.put(pathOf(blob), damaged)
    const reading = artifacts.getBlob(blob)
    await expect(reading).rejects.toThrow(CorruptBlobError)
    await expect(reading).rejects.toThrow(artifacts.store.locate(pathOf(blob)))
    await expect(reading).rejects.toThrow('Delete it and run the same command again')
  })

  test('parts of blobs are read from files, which are whole or refused', async () => {
    const blobs = [await artifacts.putBlob(some), await artifacts.putBlob(some.subarray(0, 300))]
    const descriptors = await artifacts.openBlobs(blobs)
    for (const [i, descriptor] of descriptors.entries()) {
      const part = new Uint8Array(100)
      readSync(descriptor, part, 0, 100, 100)
      expect(part).toEqual(some.slice(100, 200))
      expect(fstatSync(descriptor).size).toBe(blobs[i]?.bytes)
      closeSync(descriptor)
    }
    const other = await artifacts.putBlob(some.subarray(0, 400))
    await artifacts.store.put(pathOf(other), some.subarray(0, 399))
    await expect(artifacts.openBlobs([...blobs, other])).rejects.toThrow(CorruptBlobError)
    await artifacts.store.delete(pathOf(other))
    await expect(artifacts.openBlobs([...blobs, other])).rejects.toThrow(MissingBlobError)
  })

  test.each([
    ['deleted', MissingBlobError, (path: string) => artifacts.store.delete(path)],
    ['cut short', CorruptBlobError, (path: string) => artifacts.store.put(path, some.subarray(0, 10))],
  ])(
    'a stage whose blob was %s is not complete, and storing the blob again heals it',
    async (_, expected, harm) => {
      const blob = await artifacts.putBlob(some)
      const kept = await artifacts.commit(manifest({ split: blob }))
      expect(await artifacts.complete(kept)).toEqual(kept)
      await harm(pathOf(blob))
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

  test('of many manifests committed at once, one stands for all', async () => {
    const commits = Array.from({ length: 10 }, (_, i) => artifacts.commit(manifest({}, i)))
    const standing = await Promise.all(commits)
    const kept = await artifacts.manifest({ kind: 'split', key: manifest({}).key })
    expect(standing).toEqual(standing.map(() => kept))
  })

  test('a manifest whose blob is gone gives way to one whose blobs are there', async () => {
    const lost = await artifacts.putBlob(some)
    const first = await artifacts.commit(manifest({ split: lost }))
    await artifacts.store.delete(pathOf(lost))
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

  test('a manifest that is not whole, or another stage’s, counts as none and gives way', async () => {
    const first = await artifacts.commit(manifest({}))
    const path = `stages/split/${first.key}/manifest.json`
    const whole = textOf(await artifacts.store.get(path)) ?? ''
    const harmed = [
      whole.slice(0, 100),
      whole.replace(`"key": "${first.key}"`, `"key": "${'0'.repeat(64)}"`),
      whole.replace('"retained": 1', '"retained": 2'),
      'null',
      '[]',
      // Whole, and of a program that leaves the digest out.
      ...['outputs', 'metrics', 'inputs', 'params', 'clock'].map((part) =>
        withoutDigest(whole, { [part]: undefined }),
      ),
      withoutDigest(whole, { outputs: { split: null } }),
      withoutDigest(whole, { outputs: { split: { sha256: 'x', bytes: 1 } } }),
    ]
    for (const text of harmed) {
      expect(text).not.toBe(whole)
      await artifacts.store.put(path, bytesOf(text))
      expect(await artifacts.manifest(first)).toBeUndefined()
      expect(await artifacts.commit(manifest({}, 2))).toEqual(manifest({}, 2))
      expect(await artifacts.manifest(first)).toEqual(manifest({}, 2))
    }
  })

  test('signatures of the result that stands are kept when a stage is tidied up, and no others', async () => {
    const [first, second] = [newSigningKey(), newSigningKey()]
    const kept = await artifacts.commit(manifest({}))
    const folder = `stages/split/${kept.key}/`
    const paths = async () =>
      (await artifacts.store.list(folder)).map(({ path }) => path.slice(folder.length))
    await artifacts.store.put(`${folder}checkpoints/1`, some)
    await artifacts.store.put(`${folder}signatures/none.json`, some)
    await signStage(artifacts, kept, 'computed', first)
    await signStage(artifacts, { ...kept, metrics: { ...kept.metrics, forget: 2 } }, 'computed', second)
    await artifacts.clear(kept)
    expect(await paths()).toEqual(['manifest.json', `signatures/${first.publicKey.id}.json`])
    const [{ text = '' } = {}] = await signaturesIn(artifacts, `${folder}signatures/`)
    const claims = stageClaims({ ...kept, digest: manifestDigest(kept) })
    expect(verifyEnvelope(text, 'e.json', claims)).toMatchObject({
      ...{ claim: 'computed', valid: [first.publicKey.id] },
    })
  })

  test('runs and their reports', async () => {
    const { run } = sampleRun()
    expect(await artifacts.run(run.id)).toBeUndefined()
    await artifacts.putRun(run)
    const url = await artifacts.putReport(run.id, { 'index.html': '<p>é</p>' })
    expect(await artifacts.runs()).toEqual([run.id])
    expect(JSON.stringify(await artifacts.run(run.id))).toBe(JSON.stringify(run))
    expect(url).toBe(artifacts.store.locate(`runs/${run.id}/report`))
    expect(textOf(await artifacts.store.get(`runs/${run.id}/report/index.html`))).toBe('<p>é</p>')
  })
}

function manifest(outputs: ManifestOf<'split'>['outputs'], seconds = 1): ManifestOf<'split'> {
  const { key, version, params, inputs } = sampleRun().run.plan.split
  return {
    ...{ kind: 'split', key, version, params, inputs, inputDigests: { dataset: 'ab'.repeat(32) }, outputs },
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

function withoutDigest(manifest: string, changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ ...(JSON.parse(manifest) as object), digest: undefined, ...changes })
}
