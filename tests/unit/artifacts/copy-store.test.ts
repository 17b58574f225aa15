import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { blobPath } from '../../../artifacts/artifacts.ts'
import { copiedOf, planCopy, writeCopy, type PlanOptions } from '../../../artifacts/copy-store.ts'
import { batches } from '../../../artifacts/pooled.ts'
import { readContents, type StoreContents } from '../../../artifacts/store-contents.ts'
import { readFormat } from '../../../artifacts/store-format.ts'
import type { ObjectStore } from '../../../artifacts/store.ts'
import { flawIn } from '../../../cli/store-copy.ts'
import { sha256 } from '../../../experiment/canonical.ts'
import { UserError } from '../../../experiment/errors.ts'
import { damageOf, madeRuns, madeSweep, makeStore, type Made } from '../../support/made-store.ts'
import { MemoryStore } from '../../support/memory-store.ts'
import { bytesOf } from '../../support/store-behaviour.ts'

async function copy(from: ObjectStore, to: ObjectStore, options: PlanOptions = {}) {
  const planned = await planCopy(from, to, { reportFlaw: flawIn(from), ...options })
  await writeCopy(planned, { pages: true })
  return copiedOf(planned)
}

async function made(options: Made): Promise<MemoryStore> {
  const store = new MemoryStore('memory://made')
  await makeStore(store, options)
  return store
}
const empty = () => new MemoryStore('memory://empty')
const clone = ({ url, objects }: MemoryStore) => new MemoryStore(url, objects)
const paths = ({ objects }: MemoryStore) => [...objects.keys()].sort()
const digestsOf = ({ objects }: MemoryStore) =>
  Object.fromEntries([...objects].map(([path, bytes]) => [path, sha256(bytes)]))
const idOf = (run: number) => madeRuns[run]?.id ?? ''
const contentsOf = (store: ObjectStore) => readContents(store, { wantsReport: () => false })
const other = { train: 'b', unlearn: 'b' }

describe('into an empty store', () => {
  test('all of a store goes, and nothing is sent twice', async () => {
    const from = await made({ runs: [0, 1], sweep: true })
    await from.put('stages/train/x/lease/000001.json', bytesOf('{}'))
    await from.put('doctor/probe', bytesOf('x'))
    await from.put(blobPath({ sha256: '0'.repeat(64), bytes: 1 }), bytesOf('nobody names it'))
    const to = empty()
    const { copied, present } = await copy(from, to)
    expect(copied).toMatchObject({ runs: 2, sweeps: 1 })
    expect(present).toEqual({ runs: 0, sweeps: 0, stages: 0, blobs: 0, bytes: 0 })
    const left = [
      'stages/train/x/lease/000001.json',
      'doctor/probe',
      blobPath({ sha256: '0'.repeat(64), bytes: 1 }),
    ]
    expect(paths(to)).toEqual(paths(from).filter((path) => !left.includes(path)))
    expect(digestsOf(from)).toMatchObject(digestsOf(to))
    expect(await damageOf(to)).toEqual([])

    to.written.length = 0
    const again = await copy(from, to)
    expect(again.copied).toEqual(present)
    expect(again.present).toEqual(copied)
    expect(to.written).toEqual([])
  })

  test('of the runs that are named, what they need and no more', async () => {
    const from = await made({ runs: [0, 1, 2], sweep: true })
    const to = empty()
    await copy(from, to, { ids: [idOf(2)] })
    expect(paths(to)).toEqual(paths(await made({ runs: [2] })))
    await copy(from, to, { ids: [madeSweep] })
    expect(paths(to)).toEqual(paths(from))
    expect(await damageOf(to)).toEqual([])
  })

  test('a run that is not there is refused by its name', async () => {
    const from = await made({ runs: [0] })
    const copying = copy(from, empty(), { ids: [idOf(0), 'nothing-00000000'] })
    await expect(copying).rejects.toThrow(UserError)
    await expect(copying).rejects.toThrow("has no run and no sweep 'nothing-00000000'")
    await expect(copy(empty(), empty())).rejects.toThrow('has no run and no stage')
  })
})

describe('a store that has some already', () => {
  test('gets the rest; a run whose report knows more takes the place of the other', async () => {
    const from = await made({ runs: [0, 1] })
    const to = await made({ runs: [0], without: [20, 21], reported: [] })
    await copy(from, to)
    expect(paths(to)).toEqual(paths(from))
    const older = await made({ runs: [0, 1], reported: [1] })
    const before = digestsOf(to)
    await copy(older, to)
    expect(digestsOf(to)).toEqual(before)
  })

  test('a blob that was cut off and a manifest that cannot be read are put right', async () => {
    const from = await made({ runs: [0] })
    const to = clone(from)
    const blob = paths(to).find((path) => path.startsWith('blobs/')) ?? ''
    const manifest = paths(to).find((path) => path.startsWith('stages/')) ?? ''
    await to.put(blob, bytesOf('cut'))
    await to.put(manifest, bytesOf('{'))
    const { copied } = await copy(from, to)
    expect(copied).toMatchObject({ stages: 1, blobs: 1, runs: 0 })
    expect(digestsOf(to)).toEqual(digestsOf(from))
  })

  test('what another process has put there in the meantime is not overwritten', async () => {
    const from = await made({ runs: [0] })
    const to = empty()
    const planned = await planCopy(from, to, {})
    for (const [path, bytes] of (await made({ runs: [0], devices: other, reported: [] })).objects)
      await to.put(path, bytes)
    const before = [...to.objects].filter(([path]) => path.startsWith('stages/'))
    await expect(writeCopy(planned, { pages: true })).rejects.toThrow('came to be while the store was copied')
    for (const [path, bytes] of before) expect(to.objects.get(path)).toBe(bytes)
  })
})

describe('a damaged source', () => {
  const text = (store: MemoryStore, path: string) => new TextDecoder().decode(store.objects.get(path))
  const first = (store: MemoryStore, start: string) =>
    paths(store).find((path) => path.startsWith(start)) ?? ''
  const harms: readonly (readonly [
    string,
    string,
    (store: MemoryStore, path: string) => Promise<void>,
    RegExp,
  ])[] = [
    [
      'a manifest that is not whole',
      'stages/train',
      (store, path) => store.put(path, bytesOf('{')),
      /no whole manifest/,
    ],
    [
      'a figure of a manifest',
      'stages/train',
      (store, path) =>
        store.put(path, bytesOf(text(store, path).replace('"parameters": 13242', '"parameters": 7'))),
      /changed after it was written/,
    ],
    ['a blob that is gone', 'blobs/', (store, path) => store.delete(path), /the blob is missing/],
    ['a blob that was cut off', 'blobs/', (store, path) => store.put(path, bytesOf('cut')), /has 3 bytes/],
    [
      'a record',
      `runs/${idOf(0)}/run.json`,
      (store, path) => store.put(path, bytesOf('{}')),
      /no whole record/,
    ],
    [
      'a report',
      `runs/${idOf(0)}/report/report.json`,
      (store, path) =>
        store.put(path, bytesOf(text(store, path).replaceAll('"label": "finetune"', '"label": "other"'))),
      /changed after it was written/,
    ],
    [
      'a sweep whose run is gone',
      'sweeps/',
      (store) => store.delete(`runs/${idOf(0)}/run.json`),
      /it is missing/,
    ],
  ]
  test.each(harms)('%s: nothing is written', async (_, start, harm, message) => {
    const from = await made({ runs: [0, 1], sweep: true })
    const path = first(from, start)
    await harm(from, path)
    const to = empty()
    const copying = copy(from, to)
    await expect(copying).rejects.toThrow(UserError)
    await expect(copying).rejects.toThrow(message)
    await expect(copying).rejects.toThrow('./zeroshift check')
    expect(to.written).toEqual([])
  })

  test('contents of a blob: no manifest is written, and the file is named', async () => {
    const from = await made({ runs: [0] })
    const blob = first(from, 'blobs/')
    const bytes = Buffer.from(from.objects.get(blob) ?? [])
    await from.put(blob, bytes.fill(0, 0, 1))
    const to = empty()
    const copying = copy(from, to)
    await expect(copying).rejects.toThrow(from.locate(blob))
    await expect(copying).rejects.toThrow('./zeroshift check --read-data')
    expect(to.written.filter((path) => !path.startsWith('blobs/'))).toEqual([])
    expect(to.written).not.toContain(blob)
  })

  test('does not matter where the runs that are named do not need it', async () => {
    const from = await made({ runs: [0, 2] })
    const needed = new Set((await contentsOf(await made({ runs: [2] }))).stages.keys())
    const [foreign] = [...(await contentsOf(from)).stages.values()].filter(({ ref }) => !needed.has(ref.key))
    await from.put(foreign?.manifest.path ?? '', bytesOf('{'))
    await expect(copy(from, empty())).rejects.toThrow('no whole manifest')
    await copy(from, empty(), { ids: [idOf(2)] })
  })
})

describe('results of two devices', () => {
  test('are refused, and the stages and runs are named', async () => {
    const from = await made({ runs: [0] })
    const to = await made({ runs: [0, 2], devices: other })
    to.written.length = 0
    const copying = copy(from, to)
    await expect(copying).rejects.toThrow(UserError)
    for (const text of ['--keep target', '--keep source', `the reports of the runs ${idOf(0)}`, 'train/'])
      await expect(copying).rejects.toThrow(text)
    expect(to.written).toEqual([])
  })

  test('are refused where one store knows the other result from a report or as an input alone', async () => {
    const trained = (await contentsOf(await made({ runs: [0] }))).stages
    const places = [...trained.values()].flatMap(({ ref }, i) => (ref.kind === 'train' ? [i] : []))
    const stages = [...trained.keys()].map((_, i) => i)
    const from = await made({ runs: [0], devices: other, reported: [] })
    await expect(copy(from, await made({ runs: [0], without: places, reported: [] }))).rejects.toThrow(
      '--keep',
    )
    await expect(copy(from, await made({ runs: [0], without: stages }))).rejects.toThrow('--keep')
    await copy(from, await made({ runs: [0], without: stages, reported: [] }))
  })

  test('--keep target leaves out what was computed from the other ones; --keep source deletes it', async () => {
    const from = await made({ runs: [0, 1], devices: { train: 'a', unlearn: 'b' } })
    const to = await made({ runs: [0] })
    const kept = clone(to)
    const { conflict } = await copy(from, kept, { keep: 'target' })
    expect(conflict.runs).toEqual([idOf(0), idOf(1)])
    expect(conflict.stages.every((stage) => !stage.startsWith('train/'))).toBe(true)
    expect(digestsOf(kept)).toMatchObject(digestsOf(to))
    expect(await damageOf(kept)).toEqual([])
    await copy(from, to, { keep: 'source' })
    expect(digestsOf(to)).toMatchObject(digestsOf(from))
    expect(await damageOf(to)).toEqual([])
  })
})

describe('manifests without a digest', () => {
  test.each([0, 'listed'] as const)('of a store of format %s are listed in the copy', async (format) => {
    const from = await made({ runs: [0], format })
    const to = await made({ runs: [2], reported: [] })
    await copy(from, to)
    const old = [...(await contentsOf(from)).stages.values()]
    const own = new Set((await contentsOf(await made({ runs: [2] }))).stages.keys())
    expect(old.every(({ hasDigest }) => !hasDigest)).toBe(true)
    expect((await readFormat(to))?.undigested).toEqual(
      old
        .map(({ ref }) => ref.key)
        .filter((key) => !own.has(key))
        .sort(),
    )
    expect(await damageOf(to)).toEqual([])
  })

  test('that the source does not list are damage', async () => {
    const from = await made({ runs: [0], format: 0 })
    await from.put('store.json', bytesOf('{ "format": 1, "undigested": [] }'))
    await expect(copy(from, empty())).rejects.toThrow('its digest was removed')
  })
})

test('groups are bounded by number and by bytes, and a large item goes alone', () => {
  const sizes = fc.array(fc.nat(20), { maxLength: 40 })
  fc.assert(
    fc.property(sizes, (bytes) => {
      const items = bytes.map((size, i) => ({ i, bytes: size }))
      const groups = batches(items, { most: 4, bytes: 10 })
      expect(groups.flat()).toEqual(items)
      for (const group of groups) {
        expect(group.length).toBeLessThanOrEqual(4)
        const sum = group.reduce((total, item) => total + item.bytes, 0)
        expect(group.length === 1 || sum <= 10).toBe(true)
      }
    }),
  )
})

describe('any two stores', () => {
  const device = fc.constantFrom('a', 'b')
  const store = fc.record({
    runs: fc.uniqueArray(fc.nat(2), { minLength: 1, maxLength: 3 }),
    devices: fc.record({ train: device, unlearn: device }),
    without: fc.uniqueArray(fc.nat(60), { maxLength: 10 }),
    reported: fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
    format: fc.constantFrom(0 as const, 'listed' as const, 1 as const),
    sweep: fc.boolean(),
  })
  const stageDigests = ({ stages }: StoreContents) =>
    new Map([...stages].map(([key, { digest }]) => [key, digest]))

  test('after any copy, ended anywhere and repeated, the target is sound and has what it should', async () => {
    let copies = 0
    await fc.assert(
      fc.asyncProperty(
        ...[store, fc.option(store), fc.constantFrom('target' as const, 'source' as const, undefined)],
        fc.nat(200),
        async (source, target, keep, writes) => {
          const from = await made(source)
          const before = target ? await made(target) : empty()
          const options = keep ? { keep } : {}
          const whole = clone(before)
          const ended = await copy(from, whole, options).catch((error: unknown) => {
            if (error instanceof UserError) return undefined
            throw error
          })
          if (!ended) {
            // Refused for a conflict, or an empty source.
            expect(digestsOf(whole)).toEqual(digestsOf(before))
            return
          }
          copies += 1
          expect(await damageOf(whole)).toEqual([])
          const has = stageDigests(await contentsOf(whole))
          const winner = stageDigests(await contentsOf(keep === 'source' ? from : before))
          for (const [key, digest] of winner) expect(has.get(key)).toBe(digest)
          if (ended.conflict.stages.length === 0)
            for (const [key, digest] of stageDigests(await contentsOf(from)))
              expect(has.get(key)).toBe(digest)

          const broken = clone(before)
          broken.writesLeft = writes
          await copy(from, broken, options).catch(() => undefined)
          broken.writesLeft = Infinity
          expect(await damageOf(broken)).toEqual([])
          await copy(from, broken, options)
          expect(digestsOf(broken)).toEqual(digestsOf(whole))
        },
      ),
      { numRuns: Number(process.env.ZEROSHIFT_FUZZ ?? 40) },
    )
    expect(copies).toBeGreaterThan(5)
  })
})
