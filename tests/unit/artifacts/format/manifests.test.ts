import { beforeEach, describe, expect, test } from 'vitest'
import { jsonBytes } from '../../../../common/json.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { stageFolder } from '../../../../artifacts/format/layout.ts'
import { readFormat } from '../../../../artifacts/format/store-format.ts'
import { UserError } from '../../../../common/errors.ts'
import type { Manifest } from '../../../../experiment/records/manifest.ts'
import { testDirectory } from '../../../support/directories.ts'
import { linked } from '../../../support/linked.ts'
import { sampleInput } from '../../report/fixtures.ts'

const input = sampleInput()
const manifests = linked(Object.values(input.manifests))
const trained = manifests.find(({ kind }) => kind === 'train')
const other = manifests.findLast(({ kind }) => kind === 'train')
if (!trained || !other) throw new Error('expected models')

let directory: string
let artifacts: Artifacts
beforeEach(() => {
  directory = testDirectory()
  artifacts = openArtifacts(directory)
})

const path = `${stageFolder(trained)}manifest.json`
const rewrite = async (change: (stored: Record<string, unknown>) => unknown) => {
  const bytes = await artifacts.store.get(path)
  const stored = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  await artifacts.store.put(path, jsonBytes(change(stored)))
}

describe('a manifest counts as none where', () => {
  const harms: readonly (readonly [string, (stored: Record<string, unknown>) => unknown])[] = [
    ['it names the blobs of another stage', (stored) => ({ ...stored, outputs: other.outputs })],
    ['a figure is another one', (stored) => ({ ...stored, metrics: { ...trained.metrics, parameters: 9 } })],
    [
      'its parameters do not give its key',
      ({ digest: _, ...stored }) => ({ ...stored, params: { ...trained.params, seed: 99 } }),
    ],
    ['its digest is gone', ({ digest: _, ...stored }) => stored],
    ['its clock is gone', ({ clock: _, ...stored }) => stored],
  ]
  test.each(harms)('%s', async (_, change) => {
    await artifacts.putRun(input.run)
    await artifacts.commit(trained)
    expect(await artifacts.manifest(trained)).toEqual(trained)
    await rewrite(change)
    expect(await artifacts.manifest(trained)).toBeUndefined()
    await artifacts.commit(trained)
    expect(await artifacts.manifest(trained)).toEqual(trained)
  })
})

describe('a manifest without a digest', () => {
  const withoutDigest = (manifest: Manifest) =>
    artifacts.store.put(`${stageFolder(manifest)}manifest.json`, jsonBytes(manifest))

  test('is read in a store that has not been written to since', async () => {
    await withoutDigest(trained)
    expect(await artifacts.manifest(trained)).toEqual(trained)
  })

  test('is read where the store says that it was there before manifests had one, and nowhere else', async () => {
    await withoutDigest(trained)
    await artifacts.putRun(input.run)
    expect(await readFormat(artifacts.store)).toEqual({ format: 1, undigested: [trained.key] })
    await withoutDigest(other)
    expect(await artifacts.manifest(trained)).toEqual(trained)
    expect(await artifacts.manifest(other)).toBeUndefined()
  })

  test('whose parameters do not give its key is not read either', async () => {
    await withoutDigest({ ...trained, params: { ...trained.params, seed: 99 } } as Manifest)
    expect(await artifacts.manifest(trained)).toBeUndefined()
  })
})

test('a new store says its format, and that of a later version is refused', async () => {
  await artifacts.putRun(input.run)
  expect(await readFormat(artifacts.store)).toEqual({ format: 1, undigested: [] })
  await artifacts.store.put('store.json', jsonBytes({ format: 2 }))
  const refused = openArtifacts(directory).putRun(input.run)
  await expect(refused).rejects.toThrow(UserError)
  await expect(refused).rejects.toThrow(/has the format 2; expected 1\. Use the version/)
  await artifacts.store.put('store.json', jsonBytes([]))
  await expect(openArtifacts(directory).putRun(input.run)).rejects.toThrow(/does not say the store's format/)
})
