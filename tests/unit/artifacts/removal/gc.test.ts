import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { writeReport } from '../../../../activities/report.ts'
import { jsonBytes } from '../../../../common/json.ts'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { deleteGarbage, garbage, type Garbage } from '../../../../artifacts/removal/gc.ts'
import { takeInventory as inventoryOf } from '../../../../artifacts/removal/inventory.ts'
import { storeClock } from '../../../../artifacts/store/store-clock.ts'
import type { ObjectStore, StoredObject } from '../../../../artifacts/store/object-store.ts'
import { unknownRuns } from '../../../../artifacts/removal/stored-runs.ts'
import { UserError } from '../../../../common/errors.ts'
import type { BlobRef, Manifest } from '../../../../experiment/records/manifest.ts'
import type { RunRecord } from '../../../../experiment/records/run.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import type { Stage } from '../../../../experiment/stages/stage.ts'
import { testDirectory } from '../../../support/directories.ts'
import { storeStage } from '../../../support/library.ts'
import { linked } from '../../../support/linked.ts'
import { sampleRun } from '../../../support/run.ts'
import { sampleInput } from '../../report/fixtures.ts'

const HOUR = 3_600_000
const GRACE = 24 * HOUR

/** By the store's own clock. */
const takeInventory = async (store: ObjectStore) => inventoryOf(store, await storeClock(store))
/** As `zeroshift gc --delete` does. */
const collect = async (store: ObjectStore, grace: number) =>
  deleteGarbage(store, await takeInventory(store), grace)

const pathsOf = ({ stages, ...kinds }: Garbage) =>
  [...stages.flatMap(({ objects }) => objects), ...Object.values(kinds).flat()].map(({ path }) => path).sort()

describe('of any store', () => {
  const NOW = 1_000 * HOUR
  const hex = (n: number) => n.toString(16).padStart(64, '0')
  const folder = (n: number) => `stages/train/${hex(n)}/`
  const blob = (n: number) => `blobs/sha256/${hex(n).slice(0, 2)}/${hex(n)}`
  const object = (path: string, age: number): StoredObject => ({ path, bytes: 1, modified: NOW - age * HOUR })

  const index = fc.integer({ min: 0, max: 7 })
  /** In hours; half of them older than the grace period. */
  const age = fc.oneof(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 25, max: 500 }))
  const stage = fc.record({
    manifest: fc.option(fc.record({ age, blobs: fc.uniqueArray(index, { maxLength: 3 }) })),
    checkpoint: fc.option(age),
    lease: fc.option(age),
  })
  const stores = fc.record({
    runs: fc.array(fc.uniqueArray(index, { maxLength: 4 }), { maxLength: 4 }),
    stages: fc.array(stage, { minLength: 8, maxLength: 8 }),
    blobs: fc.array(age, { minLength: 8, maxLength: 8 }),
    probe: age,
    /** The blob that every run is attached to. */
    attached: index,
  })

  test('nothing that a run or a stage in progress needs is garbage, and everything else that is old is', () => {
    fc.assert(
      fc.property(stores, ({ runs, stages, blobs, probe, attached }) => {
        const folders = stages.map(({ manifest, checkpoint, lease }, n) => [
          ...(manifest ? [object(`${folder(n)}manifest.json`, manifest.age)] : []),
          ...(checkpoint === null
            ? []
            : [object(`${folder(n)}checkpoints/1-${hex(n)}.safetensors`, checkpoint)]),
          ...(lease === null ? [] : [object(`${folder(n)}lease/1.json`, lease)]),
        ])
        const objects = [
          ...folders.flat(),
          ...blobs.map((age, n) => object(blob(n), age)),
          object('doctor/probe', probe),
        ]
        const attachments = new Set([hex(attached)])
        const found = garbage(
          {
            now: NOW,
            objects,
            runs: new Map(
              runs.map((needed, i) => [`run-${i}`, { stages: new Set(needed.map(folder)), attachments }]),
            ),
            manifests: new Map(
              stages.flatMap(({ manifest }, n) =>
                manifest ? [[folder(n), new Set(manifest.blobs.map(hex))]] : [],
              ),
            ),
          },
          GRACE,
        )

        // The same in other words, object by object.
        const isOld = (path: string) => objects.some((o) => o.path === path && NOW - o.modified > GRACE)
        const inUse = (n: number) => runs.some((needed) => needed.includes(n))
        const inProgress = (n: number) => folders[n]?.some(({ path }) => !isOld(path)) ?? false
        const expected = objects.filter(({ path }) => {
          const n = parseInt(/[0-9a-f]{64}/.exec(path)?.[0] ?? '0', 16)
          if (path.startsWith('doctor/')) return isOld(path)
          if (path.startsWith('blobs/'))
            return (
              isOld(path) &&
              !(runs.length > 0 && n === attached) &&
              !stages.some(({ manifest }, s) => manifest?.blobs.includes(n) && (inUse(s) || inProgress(s)))
            )
          if (inProgress(n)) return false
          return !inUse(n) || (stages[n]?.manifest !== null && !path.endsWith('manifest.json'))
        })
        expect(pathsOf(found)).toEqual(expected.map(({ path }) => path).sort())
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('in a directory', () => {
  let directory: string
  let artifacts: Artifacts
  let store: ObjectStore
  beforeEach(() => {
    directory = testDirectory()
    artifacts = openArtifacts(directory)
    store = artifacts.store
  })

  const everything = async () =>
    (await Promise.all(['blobs/', 'stages/', 'runs/', 'doctor/'].map((prefix) => store.list(prefix))))
      .flat()
      .map(({ path }) => path)
  const text = (value: string) => new TextEncoder().encode(value)
  const age = (path: string, hours: number) => {
    const at = Date.now() / 1000 - hours * 3600
    utimesSync(fileURLToPath(store.locate(path)), at, at)
  }
  const ageAll = async (hours = 48) => {
    for (const path of await everything()) age(path, hours)
  }
  /** A finished stage with a blob of its own, a checkpoint and a lease that nobody took away. */
  const finish = async (stage: Stage, content = stage.key) => {
    const output = await storeStage(artifacts, stage, content)
    const folder = `stages/${stage.kind}/${stage.key}`
    await store.put(`${folder}/checkpoints/10-${'0'.repeat(64)}.safetensors`, text('state'))
    await store.put(`${folder}/lease/1.json`, text('{}'))
    await store.put(`${folder}/lease/parts.json`, text('{"parts":2}'))
    return output
  }
  const pathOf = ({ sha256 }: BlobRef) => `blobs/sha256/${sha256.slice(0, 2)}/${sha256}`

  test('what one of two runs needed alone goes with it, and nothing else', async () => {
    const [first, second] = [sampleRun({ seed: 1 }).run, sampleRun({ name: 'other', seed: 2 }).run]
    for (const stage of [...stagesOf(first.plan), ...stagesOf(second.plan)]) await finish(stage)
    await artifacts.putRun(first)
    await artifacts.putReport(first.id, { 'index.html': 'report' })
    await ageAll()
    const shared = stagesOf(second.plan).filter(({ key }) => stagesOf(first.plan).some((s) => s.key === key))
    expect(shared.length).toBeGreaterThan(0)

    const found = garbage(await takeInventory(store), GRACE)
    expect(found.stages).toHaveLength(stagesOf(second.plan).length - shared.length)
    expect(found.blobs).toHaveLength(found.stages.length)
    expect(found.checkpoints).toHaveLength(stagesOf(first.plan).length)

    const before = await everything()
    const deleted = await collect(store, GRACE)
    expect(pathsOf(deleted)).toEqual(pathsOf(found))
    expect(await everything()).toEqual(before.filter((path) => !pathsOf(found).includes(path)))
    for (const stage of stagesOf(first.plan)) expect(await artifacts.complete(stage)).toBeDefined()
    expect(pathsOf(await collect(store, GRACE))).toEqual([])
  })

  test('a run that begins while garbage is deleted keeps what it needs', async () => {
    const { run } = sampleRun()
    const stages = stagesOf(run.plan)
    for (const stage of stages) await finish(stage)
    await ageAll()
    expect(garbage(await takeInventory(store), GRACE).stages).toHaveLength(stages.length)
    let looks = 0
    const racing = spying(store, async (call) => {
      // The first look found no run; before the second, one has begun.
      if (call === 'list runs/' && ++looks === 2) await artifacts.putRun(run)
    })
    const deleted = await collect(racing, GRACE)
    expect(deleted.stages).toEqual([])
    expect(deleted.blobs).toEqual([])
    for (const stage of stages) expect(await artifacts.complete(stage)).toBeDefined()
  })

  test('blobs that are written anew while garbage is deleted stay', async () => {
    const stale = await artifacts.putBlob(text('left by a run that was forgotten'))
    await ageAll()
    const racing = spying(store, (call) => {
      // A stage stores the same bytes again and will name them in a moment.
      if (call === `list ${pathOf(stale).slice(0, 16)}`) age(pathOf(stale), 0)
      return Promise.resolve()
    })
    expect(garbage(await takeInventory(store), GRACE).blobs).toHaveLength(1)
    expect((await collect(racing, GRACE)).blobs).toEqual([])
    expect(await artifacts.getBlob(stale)).toBeDefined()
  })

  test('wherever deleting ends, no stage is left whose blob is gone', async () => {
    const stages = stagesOf(sampleRun().run.plan)
    for (const stage of stages) await finish(stage)
    await ageAll()
    for (let deletes = 0; ; deletes++) {
      let left = deletes
      const dying = spying(store, (call) => {
        if (call.startsWith('delete ') && call !== 'delete doctor/' && left-- <= 0) throw new Error('killed')
        return Promise.resolve()
      })
      const ended = await collect(dying, GRACE).then(
        () => true,
        () => false,
      )
      for (const stage of stages)
        for (const blob of Object.values((await artifacts.manifest(stage))?.outputs ?? {}))
          expect(await store.size(pathOf(blob))).toBe(blob.bytes)
      if (ended) break
    }
    expect(await everything()).toEqual([])
  })

  test('a stage that is computed again has its checkpoints and lease left to it', async () => {
    const { run } = sampleRun()
    await artifacts.putRun(run)
    const lost = await finish(run.plan.original)
    await ageAll()
    await store.delete(pathOf(lost))
    expect(garbage(await takeInventory(store), GRACE)).toMatchObject({
      checkpoints: [expect.anything()],
      leases: [expect.anything(), expect.anything()],
    })
    await store.put(`stages/train/${run.plan.original.key}/lease/2.json`, text('{}'))
    expect(garbage(await takeInventory(store), GRACE)).toMatchObject({ checkpoints: [], leases: [] })
  })

  test.each([
    ['is cut short', '{"id": "damaged", "pl'],
    ['has no plan', '{"id": "damaged"}'],
    ['has a stage without a key', '{"plan": {"dataset": {"kind": "train", "key": "../.."}}}'],
    ['is missing', undefined],
  ])('a run.json that %s stops every deletion, and a listing says so', async (_, damaged) => {
    const blob = await artifacts.putBlob(text('whose?'))
    await store.put('runs/damaged/report/index.html', text('a page'))
    if (damaged !== undefined) await store.put('runs/damaged/run.json', text(damaged))
    await ageAll()
    const before = await everything()
    await expect(collect(store, GRACE)).rejects.toThrow(UserError)
    await expect(collect(store, GRACE)).rejects.toThrow(
      /runs\/damaged\/run\.json is not the record of a run .*the same experiment again.*zeroshift rm damaged.*delete its folder/,
    )
    expect(await everything()).toEqual(before)
    const inventory = await takeInventory(store)
    expect(unknownRuns(inventory.runs).map(({ id }) => id)).toEqual(['damaged'])
    expect(garbage(inventory, GRACE).blobs.map(({ path }) => path)).toEqual([pathOf(blob)])
  })

  /** A run as it is when it has ended. */
  const published = async (): Promise<{ run: RunRecord; outputs: readonly BlobRef[] }> => {
    const { run, manifests } = sampleInput()
    const outputs = await Promise.all(
      Object.values(manifests).map(({ key }) => artifacts.putBlob(text(`the blob of ${key}`))),
    )
    const whole = Object.values(manifests).map((manifest, i): Manifest => {
      const output = outputs[i]
      return { ...manifest, outputs: output ? { output } : {} }
    })
    for (const manifest of linked(whole)) await artifacts.commit(manifest)
    await artifacts.putRun(run)
    await writeReport(artifacts, run, [])
    return { run, outputs }
  }

  test('a run whose record is lost keeps the stages and blobs that its report lists', async () => {
    const { run, outputs } = await published()
    await store.delete(`runs/${run.id}/run.json`)
    const other = await artifacts.putBlob(text('of no run'))
    await ageAll()
    const found = await collect(store, GRACE)
    expect({ stages: found.stages, blobs: found.blobs.map(({ path }) => path) }).toEqual({
      stages: [],
      blobs: [pathOf(other)],
    })
    for (const blob of outputs) expect(await artifacts.getBlob(blob)).toBeDefined()
    await artifacts.putRun(run)
    for (const stage of stagesOf(run.plan)) expect(await artifacts.complete(stage)).toBeDefined()
  })

  type Json = Record<string, unknown>
  test.each<[string, (report: Json, id: string) => readonly [string, unknown]]>([
    [
      'was changed',
      (report, id) => [id, { ...report, computed: { ...(report.computed as Json), floor: 1 } }],
    ],
    ['is of an experiment of another name', (report) => ['other-01234567', report]],
    ['is not whole', (_, id) => [id, 'cut short']],
  ])('a report that %s tells nothing of what a run needs', async (_, change) => {
    const { run } = await published()
    const report = JSON.parse((await artifacts.reportJson(run.id)) ?? '') as Json
    for (const { path } of await store.list('runs/')) await store.delete(path)
    const [id, changed] = change(report, run.id)
    await store.put(`runs/${id}/report/report.json`, jsonBytes(changed))
    await ageAll()
    await expect(collect(store, GRACE)).rejects.toThrow(UserError)
  })

  test('a manifest of a run that cannot be read stops everything; one that nobody needs goes', async () => {
    const { run } = sampleRun()
    const { key } = run.plan.split
    const path = `stages/split/${key}/manifest.json`
    await store.put(path, text('{'))
    const blob = await artifacts.putBlob(text('whose?'))
    await artifacts.putRun(run)
    await ageAll()
    await expect(collect(store, GRACE)).rejects.toThrow(`${path} cannot be read`)
    expect(await artifacts.getBlob(blob)).toBeDefined()
    await store.delete(`runs/${run.id}/run.json`)
    expect(pathsOf(await collect(store, GRACE))).toEqual([pathOf(blob), path].sort())
  })

  test('what is no part of a store is left alone', async () => {
    for (const path of ['runs/notes.txt', 'blobs/notes.txt', 'stages/readme'])
      await store.put(path, text('mine'))
    mkdirSync(join(directory, 'elsewhere'))
    writeFileSync(join(directory, 'elsewhere/file'), '')
    await ageAll()
    const before = await everything()
    expect(pathsOf(await collect(store, 600_000))).toEqual([])
    expect(await everything()).toEqual(before)
  })

  test("ages are by the store's clock", async () => {
    await artifacts.putBlob(text('old'))
    await ageAll(2)
    // As on a server whose clock is a day behind this machine's.
    const behind = 24 * HOUR
    const elsewhere: ObjectStore = {
      ...spying(store, () => Promise.resolve()),
      list: async (prefix) =>
        (await store.list(prefix)).map((object) => ({ ...object, modified: object.modified - behind })),
    }
    expect(garbage(await takeInventory(elsewhere), HOUR).blobs).toHaveLength(1)
    expect(garbage(await takeInventory(elsewhere), 3 * HOUR).blobs).toHaveLength(0)
  })
})

/** A store that says what is about to be asked of it: `list runs/`, `delete blobs/…`. */
function spying(store: ObjectStore, onCall: (call: string) => Promise<void>): ObjectStore {
  return {
    url: store.url,
    get: (path) => store.get(path),
    getHashed: (path) => store.getHashed(path),
    size: (path) => store.size(path),
    put: (path, bytes) => store.put(path, bytes),
    putIfAbsent: (path, bytes) => store.putIfAbsent(path, bytes),
    async list(prefix) {
      await onCall(`list ${prefix}`)
      return store.list(prefix)
    },
    async delete(path) {
      await onCall(`delete ${path.startsWith('doctor/clock-') ? 'doctor/' : path}`)
      return store.delete(path)
    },
    locate: (path) => store.locate(path),
  }
}
