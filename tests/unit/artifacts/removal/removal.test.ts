import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeReport } from '../../../../activities/report.ts'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { jsonBytes } from '../../../../common/json.ts'
import { blobPath, stageFolder } from '../../../../artifacts/format/layout.ts'
import { deleteGarbage } from '../../../../artifacts/removal/gc.ts'
import { takeInventory } from '../../../../artifacts/removal/inventory.ts'
import { readNotes } from '../../../../artifacts/removal/removal-notes.ts'
import { freedBy, planRemoval, removalOf, withoutRuns } from '../../../../artifacts/removal/plan-removal.ts'
import { remove, removeRecords } from '../../../../artifacts/removal/remove.ts'
import { expired } from '../../../../artifacts/removal/retention.ts'
import { storeClock } from '../../../../artifacts/store/store-clock.ts'
import { UserError } from '../../../../common/errors.ts'
import type { RunRecord } from '../../../../experiment/records/run.ts'
import { stagesOf } from '../../../../experiment/stages/stage-list.ts'
import { checkAll, missingStages, sampleSweep, storeRun, storeStage } from '../../../support/library.ts'
import { linked } from '../../../support/linked.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { sampleRun } from '../../../support/run.ts'
import { sampleInput } from '../../report/fixtures.ts'

const HOUR = 3_600_000
const GRACE = 24 * HOUR
const DAY = 24 * HOUR
const free = () => undefined

/** As `zeroshift rm IDS --delete` does. */
async function rm(store: MemoryStore, ids: readonly string[], { cells = false, grace = GRACE } = {}) {
  const inventory = await takeInventory(store, await storeClock(store))
  const notes = await readNotes(store)
  return remove(store, inventory, planRemoval(inventory, ids, { cells, notes }), { grace, confirm: free })
}

/** As `zeroshift gc --delete` does. */
async function gc(store: MemoryStore) {
  return deleteGarbage(store, await takeInventory(store, await storeClock(store)), GRACE)
}

/** Everything about stages and blobs that no run of these needs. */
async function unneeded(store: MemoryStore, runs: readonly RunRecord[]): Promise<readonly string[]> {
  const artifacts = new Artifacts(store)
  const stages = runs.flatMap(({ plan }) => stagesOf(plan))
  const manifests = await Promise.all(stages.map((stage) => artifacts.manifest(stage)))
  const needed = new Set([
    ...stages.map((stage) => `${stageFolder(stage)}manifest.json`),
    ...manifests.flatMap((manifest) => Object.values(manifest?.outputs ?? {}).map(blobPath)),
  ])
  return store.paths.filter((path) => /^(stages|blobs)\//.test(path) && !needed.has(path))
}

/** Three seeds of two experiments: those of one seed share all stages, those of several some. */
const runs = [1, 2, 3].flatMap((seed) => ['sample', 'other'].map((name) => sampleRun({ name, seed }).run))
const runOf = (i: number): RunRecord => {
  const run = runs[i]
  if (!run) throw new Error(`expected more than ${i} runs`)
  return run
}
const idOf = (i: number) => runOf(i).id

let whole: MemoryStore
beforeAll(async () => {
  whole = new MemoryStore()
  for (const run of runs) await storeRun(new Artifacts(whole), run)
})

/** A store with some of the runs and these sweeps, two days later. */
async function libraryOf(
  present: readonly number[],
  { sweeps = [], own = [] }: { sweeps?: readonly (readonly number[])[]; own?: readonly number[] } = {},
): Promise<MemoryStore> {
  const store = whole.copy()
  const artifacts = new Artifacts(store)
  for (const [i, { id }] of runs.entries())
    if (!present.includes(i)) for (const { path } of await store.list(`runs/${id}/`)) await store.delete(path)
  await deleteGarbage(store, await takeInventory(store, store.now), -1)
  for (const [i, cells] of sweeps.entries())
    await artifacts.putSweep(sampleSweep(`sweep-${i}`, cells.map(idOf)))
  for (const i of own) await artifacts.markOwn(idOf(i))
  store.now += 2 * DAY
  store.changes = 0
  return store
}

test('whatever is removed, the runs that stay are whole, and nothing stays that only removed ones needed', async () => {
  const index = fc.integer({ min: 0, max: runs.length - 1 })
  const some = fc.uniqueArray(index, { minLength: 1, maxLength: runs.length })
  const libraries = some.chain((present) =>
    fc.record({
      present: fc.constant(present),
      sweeps: fc.array(fc.subarray(present, { minLength: 1 }), { maxLength: 2 }),
      own: fc.subarray(present),
      removed: fc.subarray(present),
      removedSweeps: fc.subarray([0, 1]),
      cells: fc.boolean(),
    }),
  )
  let refusals = 0
  await fc.assert(
    fc.asyncProperty(libraries, async ({ present, sweeps, own, removed, removedSweeps, cells }) => {
      const store = await libraryOf(present, { sweeps, own })
      const artifacts = new Artifacts(store)
      const going = removedSweeps.filter((i) => i < sweeps.length)
      const before = store.paths
      const ids = [...removed.map(idOf), ...going.map((i) => `sweep-${i}`)]
      const staying = sweeps.flatMap((cells, i) => (going.includes(i) ? [] : cells))
      if (removed.some((i) => staying.includes(i))) {
        refusals++
        await expect(rm(store, ids, { cells })).rejects.toThrow(/is a cell of the sweep sweep-\d/)
        expect(store.paths).toEqual(before)
        return
      }
      const answer = await rm(store, ids, { cells })
      // The same in other words, run by run.
      const goes = (i: number) =>
        removed.includes(i) ||
        (cells && !own.includes(i) && !staying.includes(i) && going.some((s) => sweeps[s]?.includes(i)))
      const left = present.filter((i) => !goes(i))
      expect([...answer.runs].sort()).toEqual(present.filter(goes).map(idOf).sort())
      expect((await artifacts.runs()).toSorted()).toEqual(left.map(idOf).sort())
      expect((await artifacts.sweeps()).length).toBe(sweeps.length - going.length)
      // Objects that only these runs needed are gone before any gc.
      expect(await unneeded(store, left.map(runOf))).toEqual([])
      expect((await gc(store)).stages).toEqual([])
      expect((await checkAll(artifacts)).damage).toEqual([])
      for (const i of left) expect(await missingStages(artifacts, runOf(i))).toEqual([])
      expect(store.paths.filter((path) => /^(removals|doctor)\//.test(path))).toEqual([])
    }),
    { numRuns: 100, seed: 7 },
  )
  expect(refusals).toBeGreaterThan(0)
})

describe('a removal that is interrupted', () => {
  /** Runs with and without sweeps. */
  let swept: MemoryStore
  /** Two runs with real reports, which share stages. */
  let reported: MemoryStore
  const inputs = [sampleInput(), sampleInput({ gold: 1 })]
  const published = inputs.map(({ run }) => run)
  beforeAll(async () => {
    swept = await libraryOf([0, 1, 2, 4], { sweeps: [[0, 2], [1]] })
    reported = new MemoryStore()
    const artifacts = new Artifacts(reported)
    const manifests = new Map(
      inputs.flatMap((input) => Object.values(input.manifests)).map((one) => [one.key, one]),
    )
    const stages = new Map(inputs.flatMap(({ run }) => stagesOf(run.plan)).map((one) => [one.key, one]))
    const whole = await Promise.all(
      [...stages.keys()]
        .flatMap((key) => manifests.get(key) ?? [])
        .map(async (manifest) => {
          const outputs = { result: await artifacts.putBlob(jsonBytes(manifest.key)) }
          return { ...manifest, outputs }
        }),
    )
    for (const manifest of linked(whole)) await artifacts.commit(manifest)
    for (const run of published) {
      await artifacts.putRun(run)
      await writeReport(artifacts, run, [])
    }
    reported.now += 2 * DAY
  })

  const [first] = published
  test.each<[string, readonly string[], () => MemoryStore]>([
    ['a run with its report', [first?.id ?? ''], () => reported],
    ['a sweep with its cells', ['sweep-0'], () => swept],
    ['a sweep, its cells and a run', [idOf(4), 'sweep-0'], () => swept],
  ])('leaves a sound store, and the same command finishes it: %s', async (_, ids, storeOf) => {
    const store = storeOf()
    const cells = true
    expect((await checkAll(new Artifacts(store))).damage).toEqual([])
    const uninterrupted = store.copy()
    const { runs: gone, freed } = await rm(uninterrupted, ids, { cells })
    expect({ runs: gone.length, stages: freed.now.stages.length }).not.toMatchObject({ runs: 0, stages: 0 })
    const stay = [...runs, ...published].filter(({ id }) =>
      uninterrupted.paths.includes(`runs/${id}/run.json`),
    )
    for (let k = 1; ; k++) {
      const dying = store.copy()
      dying.onChange = (change, count) => {
        if (count >= k) throw new Error(`killed before ${change}`)
      }
      const ended = await rm(dying, ids, { cells }).then(
        () => true,
        () => false,
      )
      dying.onChange = () => undefined
      const artifacts = new Artifacts(dying)
      expect((await checkAll(artifacts)).damage).toEqual([])
      for (const run of stay) expect(await missingStages(artifacts, run)).toEqual([])
      if (ended) {
        expect(k).toBe(uninterrupted.changes + 1)
        break
      }
      await rm(dying, ids, { cells })
      // The clock's probe is in no folder that a removal looks at.
      expect(dying.paths.filter((path) => !path.startsWith('doctor/'))).toEqual(uninterrupted.paths)
    }
  })

  test('leaves a sound store where it is that of a retention, and the next one finishes it', async () => {
    const retain = async (store: MemoryStore) => {
      const inventory = await takeInventory(store, await storeClock(store))
      const { units, runs } = expired(inventory, { last: 1 }, () => false)
      const sweeps = units.filter(({ kind }) => kind === 'sweep').map(({ id }) => id)
      const { runs: gone } = await removeRecords(store, removalOf(inventory, { sweeps, runs }), free)
      const left = withoutRuns(
        inventory,
        gone.flatMap((id) => inventory.runs.get(id) ?? []),
      )
      await deleteGarbage(store, left, GRACE)
    }
    const store = swept.copy()
    await new Artifacts(store).putRun(runOf(4))
    store.now += 2 * DAY
    const uninterrupted = store.copy()
    await retain(uninterrupted)
    expect(await new Artifacts(uninterrupted).runs()).toEqual([idOf(4)])
    for (let k = 1; k <= uninterrupted.changes; k++) {
      const dying = store.copy()
      dying.onChange = (change, count) => {
        if (count >= k) throw new Error(`killed before ${change}`)
      }
      await expect(retain(dying)).rejects.toThrow('killed before')
      dying.onChange = () => undefined
      expect((await checkAll(new Artifacts(dying))).damage).toEqual([])
      expect(await missingStages(new Artifacts(dying), runOf(4))).toEqual([])
      await retain(dying)
      expect(dying.paths.filter((path) => !path.startsWith('doctor/'))).toEqual(uninterrupted.paths)
    }
  })

  test('is not finished by a removal of something else', async () => {
    const dying = swept.copy()
    dying.onChange = (change) => {
      if (change === `delete runs/${idOf(0)}/run.json`) throw new Error('killed')
    }
    await expect(rm(dying, ['sweep-0', idOf(4)], { cells: true })).rejects.toThrow('killed')
    dying.onChange = () => undefined
    // Its record went before.
    expect((await rm(dying, [idOf(4)])).runs).toEqual([])
    expect(await new Artifacts(dying).runs()).toEqual([0, 1, 2].map(idOf).sort())
    expect((await rm(dying, ['sweep-0'])).runs).toEqual([idOf(0), idOf(2)])
    expect(dying.paths.filter((path) => path.startsWith('removals/'))).toEqual([])
    await expect(rm(dying, ['sweep-0'])).rejects.toThrow("no run and no sweep 'sweep-0'")
  })

  test('leaves runs alone that were started again before it is finished', async () => {
    const dying = swept.copy()
    dying.onChange = (change) => {
      if (change === `delete runs/${idOf(0)}/run.json`) throw new Error('killed')
    }
    await expect(rm(dying, ['sweep-0'], { cells: true })).rejects.toThrow('killed')
    dying.onChange = () => undefined
    dying.now += HOUR
    await new Artifacts(dying).putRun(runOf(0))
    const { runs: gone } = await rm(dying, ['sweep-0'], { cells: true })
    expect(gone).toEqual([idOf(2)])
    expect(await missingStages(new Artifacts(dying), runOf(0))).toEqual([])
  })
})

describe('a removal', () => {
  const plan = async (store: MemoryStore, ids: readonly string[], cells = false) => {
    const inventory = await takeInventory(store)
    return planRemoval(inventory, ids, { cells, notes: await readNotes(store) })
  }

  test.each<[string, readonly string[], RegExp]>([
    ['of an id that nothing has', ['nothing-00000000'], /no run and no sweep 'nothing-00000000'/],
    ['of a known and an unknown id', [idOf(3), 'sweep-9'], /no run and no sweep 'sweep-9'/],
    ['of a path', ['../runs'], /no run and no sweep '\.\.\/runs'/],
    ['of the cell of a sweep', [idOf(0)], /is a cell of the sweep sweep-0.*zeroshift rm sweep-0.*--cells/],
  ])('%s is refused before anything is written', async (_, ids, message) => {
    const store = await libraryOf([0, 1, 2, 3], { sweeps: [[0, 1]] })
    await expect(plan(store, ids)).rejects.toThrow(UserError)
    await expect(plan(store, ids)).rejects.toThrow(message)
    expect(store.changes).toBe(0)
  })

  test('of a sweep takes its cells only where that is asked, and says why some stay', async () => {
    const store = await libraryOf([0, 1, 2, 3], {
      sweeps: [
        [0, 1, 2],
        [1, 3],
      ],
      own: [2],
    })
    const alone = await plan(store, ['sweep-0'])
    expect(alone.runs).toEqual([])
    const { runs, staying } = await plan(store, ['sweep-0'], true)
    expect(runs.map(({ id }) => id)).toEqual([idOf(0)])
    expect(staying).toEqual([
      { id: idOf(1), why: 'it is a cell of the sweep sweep-1 as well' },
      { id: idOf(2), why: 'it was also started by itself' },
    ])
    const both = await plan(store, ['sweep-0', 'sweep-1', idOf(2)], true)
    expect(both.runs.map(({ id }) => id).sort()).toEqual([0, 1, 2, 3].map(idOf).sort())
  })

  test('frees what is old; what is younger than the grace period is left to a later gc', async () => {
    const store = await libraryOf([0, 2])
    store.now -= 2 * DAY
    const young = await takeInventory(store, store.now + HOUR)
    const ids = [idOf(2)]
    const removal = planRemoval(young, ids, { cells: false, notes: new Map() })
    const { now, later, shared } = freedBy(young, removal, GRACE)
    const only = stagesOf(runOf(2).plan).filter(
      ({ key }) => !stagesOf(runOf(0).plan).some((stage) => stage.key === key),
    )
    expect([now.stages.length, now.blobs.length]).toEqual([0, 0])
    expect([later.stages.length, later.blobs.length]).toEqual([only.length, only.length])
    expect(shared).toMatchObject({ stages: stagesOf(runOf(2).plan).length - only.length, runs: [idOf(0)] })

    store.now += HOUR
    const { freed } = await rm(store, ids)
    expect([freed.now.stages.length, freed.later.stages.length]).toEqual([0, only.length])
    expect(await unneeded(store, [runOf(0)])).toHaveLength(2 * only.length)
    store.now += 2 * DAY
    expect((await gc(store)).stages).toHaveLength(only.length)
    expect(await unneeded(store, [runOf(0)])).toEqual([])
  })

  test('of a run without a record takes its folder, and what is known of its stages', async () => {
    const store = await libraryOf([0, 2])
    await store.delete(`runs/${idOf(2)}/run.json`)
    await expect(gc(store)).rejects.toThrow(UserError)
    const { runs, freed } = await rm(store, [idOf(2)])
    expect({ runs, stages: freed.now.stages }).toEqual({ runs: [idOf(2)], stages: [] })
    expect(await store.list(`runs/${idOf(2)}/`)).toEqual([])
    await gc(store)
    expect(await unneeded(store, [runOf(0)])).toEqual([])
  })

  test('frees nothing as long as the needs of another run are unknown', async () => {
    const store = await libraryOf([0, 2, 4])
    await store.delete(`runs/${idOf(4)}/run.json`)
    const { runs, freed } = await rm(store, [idOf(2)])
    expect(runs).toEqual([idOf(2)])
    expect(freed).toMatchObject({ now: { stages: [], blobs: [] }, unknown: [{ id: idOf(4) }] })
    await new Artifacts(store).putRun(runOf(4))
    for (const i of [0, 4]) expect(await missingStages(new Artifacts(store), runOf(i))).toEqual([])
  })

  test('leaves blobs that an unused stage of nobody names to a gc', async () => {
    const store = await libraryOf([0, 2])
    const artifacts = new Artifacts(store)
    // A stage of a forgotten run with the same bytes as one that goes.
    const [stage] = stagesOf(runOf(4).plan).filter(
      ({ key }) => ![0, 2].some((i) => stagesOf(runOf(i).plan).some((one) => one.key === key)),
    )
    const own = stagesOf(runOf(2).plan).at(-1)
    if (!stage || !own) throw new Error('expected stages')
    store.now -= 2 * DAY
    await storeStage(artifacts, stage, `the blob of ${own.key}`)
    store.now += 2 * DAY
    await rm(store, [idOf(2)])
    expect(store.paths).toContain(`${stageFolder(stage)}manifest.json`)
    expect((await checkAll(artifacts)).damage).toEqual([])
    await gc(store)
    expect(await unneeded(store, [runOf(0)])).toEqual([])
  })
})
