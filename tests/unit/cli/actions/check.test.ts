import { trainingSchema } from '../../../../experiment/spec/training.ts'
import { jsonBytes } from '../../../../common/json.ts'
import { blobPath, stageFolder } from '../../../../artifacts/format/layout.ts'
import { cpSync, utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { renderRun, writeReport } from '../../../../activities/report.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import type { CheckedStore } from '../../../../artifacts/check/check-store.ts'
import { check } from '../../../../cli/actions/check.ts'
import { digestOf } from '../../../../common/canonical.ts'
import { UserError } from '../../../../common/errors.ts'
import { manifestDigest, type Manifest } from '../../../../experiment/records/manifest.ts'
import { plannedAgain, readPublished } from '../../../../report/published.ts'
import { captureOutput, type CapturedOutput } from '../../../support/output.ts'
import { fileDirectory, testDirectory } from '../../../support/directories.ts'
import { linked } from '../../../support/linked.ts'
import { sampleInput } from '../../report/fixtures.ts'

type Json = Record<string, unknown>
type Answer = CheckedStore & { readonly sound: boolean; readonly dropped: readonly string[] }

const input = sampleInput()
const { run } = input
const text = (value: string) => new TextEncoder().encode(value)
const blobOf = ({ key }: Manifest) => text(`the blob of ${key}`)

let original: string
let directory: string
let stdout: CapturedOutput
let artifacts: Artifacts
let manifests: readonly Manifest[]

/** One store for all tests, each of which works on a copy. */
beforeAll(async () => {
  original = fileDirectory()
  artifacts = openArtifacts(original)
  await artifacts.putRun(run)
  const whole = await Promise.all(
    Object.values(input.manifests).map(async (manifest) => ({
      ...manifest,
      outputs: { result: await artifacts.putBlob(blobOf(manifest)) },
    })),
  )
  manifests = linked(whole)
  for (const manifest of manifests) await artifacts.commit(manifest)
  await writeReport(artifacts, run, [])
  await age(48)
})
beforeEach(() => {
  directory = testDirectory()
  cpSync(original, directory, { recursive: true, preserveTimestamps: true })
  artifacts = openArtifacts(directory)
  stdout = captureOutput('stdout')
})

/** Makes all files so many hours old. */
async function age(hours: number): Promise<void> {
  const at = Date.now() / 1000 - hours * 3600
  for (const prefix of ['blobs/', 'stages/', 'runs/'])
    for (const { path } of await artifacts.store.list(prefix))
      utimesSync(fileURLToPath(artifacts.store.locate(path)), at, at)
}

async function checked(options: { readData?: true; repair?: true } = {}) {
  stdout.clear()
  const code = await check({ store: directory, grace: '1h', json: true, ...options })
  return { code, ...(JSON.parse(stdout.text) as Answer) }
}

async function rewrite(path: string, change: (stored: Json) => unknown): Promise<void> {
  const bytes = await artifacts.store.get(path)
  const stored = JSON.parse(new TextDecoder().decode(bytes)) as Json
  await artifacts.store.put(path, jsonBytes(change(stored)))
}

const manifestPath = (manifest: Manifest) => `${stageFolder(manifest)}manifest.json`
const the = (kind: Manifest['kind'], n = 0): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind)[n]
  if (!found) throw new Error(`expected ${n + 1} of ${kind}`)
  return found
}
const report = `runs/${run.id}/report/report.json`
const record = `runs/${run.id}/run.json`

describe('a sound store', () => {
  test('is sound, with its contents read or not, and nothing is written to it', async () => {
    const before = await artifacts.store.list('stages/')
    const { code, sound, stages, blobs, read } = await checked()
    expect({ code, sound, stages, blobs, read }).toMatchObject({
      ...{ code: 0, sound: true, read: 0 },
      ...{ stages: manifests.length, blobs: manifests.length },
    })
    expect((await checked({ readData: true })).read).toBeGreaterThan(1000)
    expect(await artifacts.store.list('stages/')).toEqual(before)
    expect(await artifacts.store.list('doctor/')).toEqual([])
    stdout.clear()
    expect(await check({ store: directory, grace: '1h' })).toBe(0)
    expect(stdout.text).toMatch(
      /: 1 run, \d+ stages, \d+ blobs, by their sizes\nEverything is as it was written\.\n$/,
    )
  })

  test('without inputs of its stages, or without a format, is sound too', async () => {
    await artifacts.store.delete(manifestPath(the('dataset')))
    await artifacts.store.delete('store.json')
    expect(await checked()).toMatchObject({ code: 0, damage: [] })
  })
})

describe('damage', () => {
  test('is told by run, and a repair deletes what has to be computed again: the store is sound then', async () => {
    const model = the('train')
    await artifacts.store.put(blobPath(model.outputs.result ?? { sha256: '', bytes: 0 }), text('cut'))
    await rewrite(manifestPath(the('split')), (stored) => ({ ...stored, metrics: {} }))
    stdout.clear()
    expect(await check({ store: directory, grace: '1h' })).toBe(1)
    expect(stdout.text).toContain(`\n${run.id}\n`)
    expect(stdout.text).toContain('check --repair')
    const { code, damage, dropped } = await checked({ repair: true })
    expect(code).toBe(1)
    expect(damage.map(({ runs }) => runs)).toEqual([[run.id], [run.id]])
    expect([...dropped].sort()).toEqual(
      [
        blobPath(model.outputs.result ?? { sha256: '', bytes: 0 }),
        manifestPath(model),
        manifestPath(the('split')),
      ].sort(),
    )
    expect(await checked({ readData: true })).toMatchObject({ code: 0, sound: true })
  })

  test('of a stage that somebody computes, or whose input was computed again just now, is none yet', async () => {
    const { digest: _, ...other } = { ...the('train'), digest: '' }
    const changed = { ...other, metrics: { ...other.metrics, parameters: 7 } } as Manifest
    await artifacts.store.put(
      manifestPath(changed),
      jsonBytes({ ...changed, digest: manifestDigest(changed) }),
    )
    const fresh = await checked()
    expect(fresh).toMatchObject({ code: 1 })
    expect(fresh.damage.map(({ path }) => path)).toEqual([report])
    expect(fresh.inUse.length).toBeGreaterThan(0)
    await age(48)
    const settled = await checked()
    expect(settled.inUse).toEqual([])
    expect(settled.damage).toHaveLength(fresh.inUse.length + 1)
    const [stale] = settled.damage
    await artifacts.store.put(
      (stale?.path ?? '').replace('manifest.json', 'lease/000001.json'),
      jsonBytes({ activity: 'other', attempt: 1, beat: 3 }),
    )
    const { inUse } = await checked({ repair: true })
    expect(inUse.map(({ path }) => path)).toEqual([stale?.path])
    expect(await artifacts.store.get(stale?.path ?? '')).toBeDefined()
  })

  test('a mistake in the options is refused', async () => {
    await expect(check({ store: directory, grace: 'long' })).rejects.toThrow(UserError)
  })
})

/**
 * Each field of each kind of stored file is changed, removed, or swapped with that of another file.
 * `check` finds it and readers ignore the file, or the change is harmless for the reason given.
 */
describe('tampering', () => {
  const changedValue = (value: unknown): unknown => {
    if (typeof value === 'number') return value + 1
    if (typeof value === 'string') return value.replace(/^./, (first) => (first === 'f' ? 'e' : 'f'))
    if (Array.isArray(value)) return [...(value as readonly unknown[]), 0]
    return { ...(value as object), added: 0 }
  }
  const harms = {
    changed: (stored: Json, field: string) => ({ ...stored, [field]: changedValue(stored[field]) }),
    removed: ({ ...stored }: Json, field: string) => {
      Reflect.deleteProperty(stored, field)
      return stored
    },
    swapped: (stored: Json, field: string, other: Json) => ({ ...stored, [field]: other[field] }),
  }
  type Harm = keyof typeof harms
  const all = Object.keys(harms) as readonly Harm[]
  /** Why these change no result. */
  const times = 'times and hosts are no results; who wrote them cannot be proved'
  const same = 'both have the same'
  const manifestFields: Readonly<Record<string, Partial<Record<Harm, string>>>> = {
    kind: { swapped: same },
    key: {},
    version: { swapped: same },
    params: {},
    inputs: {},
    inputDigests: {},
    outputs: {},
    metrics: { swapped: same },
    clock: { changed: times, swapped: times },
    digest: {},
  }
  const manifestCases = Object.entries(manifestFields).flatMap(([field, harmless]) =>
    all.map((harm) => [field, harm, harmless[harm]] as const),
  )

  test.each(manifestCases)('manifest: %s %s (harmless: %s)', async (field, harm, harmless) => {
    const [victim, other] = [the('train'), the('train', 1)]
    const stored = JSON.parse(
      new TextDecoder().decode(await artifacts.store.get(manifestPath(other))),
    ) as Json
    await rewrite(manifestPath(victim), (own) => harms[harm](own, field, stored))
    const read = await artifacts.manifest(victim)
    const { code, damage } = await checked()
    if (harmless !== undefined) expect(read && manifestDigest(read)).toBe(manifestDigest(victim))
    else expect(read).toBeUndefined()
    expect({ code, paths: damage.map(({ path }) => path) }).toEqual(
      harmless === undefined ? { code: 1, paths: [manifestPath(victim)] } : { code: 0, paths: [] },
    )
  })

  test('manifest: anything changed, and the digest made anew: what was computed from it, and the report, say so', async () => {
    const { digest: _, ...own } = { ...the('evaluate'), digest: '' }
    const forged = { ...own, metrics: { ...own.metrics, confidence: {} } } as unknown as Manifest
    await artifacts.store.put(manifestPath(forged), jsonBytes({ ...forged, digest: manifestDigest(forged) }))
    await age(48)
    const paths = (await checked()).damage.map(({ path }) => path)
    expect(paths).toContain(report)
    expect(paths).toContain(manifestPath(the('attack')))
  })

  const shown = 'it is shown to people, and no result depends on it'
  const recordFields: Readonly<Record<string, Partial<Record<Harm, string>>>> = {
    id: {},
    spec: {},
    facts: { swapped: same },
    plan: {},
    command: { changed: shown, swapped: shown },
  }
  const recordCases = Object.entries(recordFields).flatMap(([field, harmless]) =>
    all.map((harm) => [field, harm, harmless[harm]] as const),
  )
  const other = sampleInput({ gold: 1 }).run

  test.each(recordCases)('run.json: %s %s (harmless: %s)', async (field, harm, harmless) => {
    await rewrite(record, (own) => harms[harm](own, field, other as unknown as Json))
    const { code } = await checked()
    expect(code).toBe(harmless === undefined ? 1 : 0)
  })

  test('run.json: the spec alone, and the report rendered from it: verify plans other stages', async () => {
    const spec = { ...run.spec, training: trainingSchema.parse({ ...run.spec.training, epochs: 99 }) }
    await rewrite(record, (own) => ({ ...own, spec }))
    expect((await checked()).damage.map(({ path }) => path)).toEqual([report])
    const { files } = await renderRun(artifacts, { ...run, spec }, [])
    const published = readPublished(files['report.json'], 'report.json')
    expect(() => plannedAgain(published, 'report.json')).toThrow(UserError)
  })

  interface Report {
    computed: Json
    digest: string
    blobs: Json
    clock: Json
  }
  const computedFields = ['spec', 'data', 'stages', 'results', 'judgement', 'floor', 'forgottenTest']
  test.each(computedFields.flatMap((field) => [true, false].map((anew) => [field, anew] as const)))(
    'report.json: computed.%s changed, its digest made anew: %s',
    async (field, anew) => {
      await rewrite(report, (stored) => {
        const { computed, ...rest } = stored as unknown as Report
        const forged = harms.changed(computed, field)
        if (field === 'results') forged.results = reversed(computed.results)
        if (field === 'stages') forged.stages = reversed(computed.stages)
        if (field === 'forgottenTest') forged.forgottenTest = reversed(computed.forgottenTest)
        return { ...rest, computed: forged, ...(anew && { digest: digestOf(forged) }) }
      })
      expect((await checked()).damage.map(({ path }) => path)).toEqual([report])
    },
  )
  const reversed = (value: unknown) => [...(value as readonly unknown[])].reverse()

  test.each(['computed', 'digest', 'clock'])('report.json: %s removed', async (field) => {
    await rewrite(report, (stored) => harms.removed(stored, field))
    expect((await checked()).damage.map(({ path }) => path)).toEqual([report])
  })

  test('report.json: a blob is another', async () => {
    await rewrite(report, (stored) => {
      const blobs = stored.blobs as Record<string, unknown>
      return { ...stored, blobs: { ...blobs, [the('train').key]: the('train', 1).outputs } }
    })
    expect((await checked()).damage.map(({ path }) => path)).toEqual([report])
  })

  const blob = (n = 0) => blobPath(the('train', n).outputs.result ?? { sha256: '', bytes: 0 })
  test.each<[string, () => Promise<void>, boolean]>([
    ['removed', () => artifacts.store.delete(blob()), false],
    ['cut short', () => artifacts.store.put(blob(), text('the')), false],
    ['changed', () => artifacts.store.put(blob(), blobOf(the('train')).with(3, 0)), true],
    ['swapped', () => artifacts.store.put(blob(), blobOf(the('train', 1))), true],
  ])('blob: %s', async (_, harm, needsData) => {
    await harm()
    if (needsData) expect((await checked()).code).toBe(0)
    const { code, damage } = await checked({ readData: true })
    expect(code).toBe(1)
    expect(damage.map(({ path }) => path)).toEqual([manifestPath(the('train'))])
    await expect(artifacts.getBlob(the('train').outputs.result ?? { sha256: '', bytes: 0 })).rejects.toThrow()
  })

  test('store.json: not whole', async () => {
    await artifacts.store.put('store.json', text('{'))
    expect((await checked()).damage.map(({ path }) => path)).toEqual(['store.json'])
  })
})
