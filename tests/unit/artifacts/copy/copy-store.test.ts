import { blobPath } from '../../../../artifacts/format/layout.ts'
import { copiedOf, writeCopy } from '../../../../artifacts/copy/write-copy.ts'
import { planCopy, type PlanOptions } from '../../../../artifacts/copy/plan-copy.ts'
import type { ObjectStore } from '../../../../artifacts/store/object-store.ts'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batches } from '../../../../common/concurrency.ts'
import type { StoreContents } from '../../../../artifacts/copy/contained.ts'
import { readContents } from '../../../../artifacts/copy/store-contents.ts'
import { readFormat } from '../../../../artifacts/format/store-format.ts'
import { flawIn } from '../../../../cli/actions/store-copy.ts'
import { sha256 } from '../../../../common/canonical.ts'
import { UserError } from '../../../../common/errors.ts'
import { damageOf, madeKeys, madeRuns, madeSweep, makeStore, type Made } from '../../../support/made-store.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { bytesOf } from '../../../support/store-behaviour.ts'

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
    const signed = { by: 0, stages: [0, 1, 2], reports: [1] } as const
    const from = await made({ runs: [0, 1], sweep: true, signed, own: [1] })
    await from.put('stages/train/x/lease/000001.json', bytesOf('{}'))
    await from.put('maintenance/000001.json', bytesOf('{}'))
    await from.put('removals/x.json', bytesOf('{}'))
    await from.put('doctor/probe', bytesOf('x'))
    await from.put(blobPath({ sha256: '0'.repeat(64), bytes: 1 }), bytesOf('nobody names it'))
    const to = empty()
    const { copied, present } = await copy(from, to)
    expect(copied).toMatchObject({ runs: 2, sweeps: 1, signatures: 4 })
    expect(present).toEqual({ runs: 0, sweeps: 0, stages: 0, signatures: 0, blobs: 0, bytes: 0 })
    const left = [
      'stages/train/x/lease/000001.json',
      'doctor/probe',
      'maintenance/000001.json',
      'removals/x.json',
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

describe('signatures and notes of runs that were started by themselves', () => {
  const all = { stages: Array.from({ length: 60 }, (_, i) => i), reports: [0, 1, 2] } as const
  const signatures = (store: MemoryStore) => paths(store).filter((path) => path.includes('signatures/'))

  test('go with the runs that are named alone', async () => {
    const from = await made({ runs: [0, 1], signed: { by: 0, ...all }, own: [0, 1] })
    const to = empty()
    await copy(from, to, { ids: [idOf(0)] })
    const expected = await made({ runs: [0], signed: { by: 0, ...all }, own: [0] })
    expect(paths(to)).toEqual(paths(expected))
    expect(digestsOf(from)).toMatchObject(digestsOf(to))
  })

  test('come to results that are there; what the target has stays', async () => {
    const from = await made({ runs: [0], signed: { by: 0, ...all }, own: [0] })
    const to = await made({ runs: [0, 1], signed: { by: 1, ...all } })
    const before = digestsOf(to)
    const { copied, present } = await copy(from, to)
    expect(copied).toMatchObject({ runs: 0, stages: 0, blobs: 0, signatures: signatures(from).length })
    expect(present.signatures).toBe(0)
    expect(digestsOf(to)).toEqual({ ...before, ...digestsOf(from) })
    expect(await damageOf(to)).toEqual([])
    const again = await copy(from, to)
    expect([again.copied.signatures, again.present.signatures]).toEqual([0, signatures(from).length])
  })

  test('put right what is damaged in the target, and nothing else by the same key', async () => {
    const from = await made({ runs: [0], signed: { by: 0, ...all } })
    const to = await made({ runs: [0], signed: { by: 0, ...all } })
    const [first = '', second = ''] = signatures(to)
    await to.put(first, bytesOf('{}'))
    const standing = to.objects.get(second)
    expect((await copy(from, to)).copied.signatures).toBe(1)
    expect(to.objects.get(first)).toEqual(from.objects.get(first))
    expect(to.objects.get(second)).toBe(standing)
  })

  test('of a result that gives way go with it, also those of a stage that is not there', async () => {
    const from = await made({ runs: [0], signed: { by: 0, ...all } })
    const lost = await made({ runs: [0, 2], devices: other, signed: { by: 1, ...all } })
    await copy(from, lost, { keep: 'source' })
    expect(await damageOf(lost)).toEqual([])
    const given = new Set((await contentsOf(from)).stages.keys())
    const left = signatures(lost).filter((path) => path.endsWith(`${madeKeys[1].publicKey.id}.json`))
    expect(left.filter((path) => /^stages\/(train|unlearn)\//.test(path))).toEqual([])
    expect(left.filter((path) => path.startsWith(`runs/${idOf(0)}`))).toEqual([])

    const unfinished = await made({
      ...{ runs: [0], devices: other, reported: [], without: all.stages },
      signed: { by: 1, stages: all.stages, reports: [] },
    })
    expect(signatures(unfinished)).toHaveLength(given.size)
    await copy(from, unfinished)
    expect(await damageOf(unfinished)).toEqual([])
    expect(signatures(unfinished).filter((path) => /^stages\/(train|unlearn)\//.test(path))).toEqual(
      signatures(from).filter((path) => /^stages\/(train|unlearn)\//.test(path)),
    )
  })

  test('of a report that is gone do not stand beside the one that comes', async () => {
    const from = await made({ runs: [0, 1], signed: { by: 0, ...all } })
    const to = await made({ runs: [0], signed: { by: 1, ...all }, reported: [] })
    const [foreign = ''] = signatures(from).filter((path) => path.startsWith(`runs/${idOf(1)}`))
    const stale = `runs/${idOf(0)}/report.signatures/${madeKeys[1].publicKey.id}.json`
    await to.put(stale, from.objects.get(foreign) ?? bytesOf(''))
    await copy(from, to)
    expect(paths(to)).not.toContain(stale)
    expect(await damageOf(to)).toEqual([])
  })

  test('are there before the manifest and the report that they sign', async () => {
    const from = await made({ runs: [0], signed: { by: 0, ...all } })
    const to = empty()
    await copy(from, to)
    const place = (path: string) => to.written.indexOf(path)
    for (const path of signatures(to)) {
      const [folder = ''] = path.split(/(report\.)?signatures\//)
      const signed = path.startsWith('stages/') ? `${folder}manifest.json` : `${folder}report/report.json`
      expect(place(path)).toBeGreaterThanOrEqual(0)
      expect(place(path)).toBeLessThan(place(signed))
    }
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
      'a signature of a stage',
      'stages/train',
      (store, path) =>
        store.put(
          path.replace('manifest.json', `signatures/${madeKeys[0].publicKey.id}.json`),
          bytesOf('{}'),
        ),
      /this is no DSSE envelope/,
    ],
    [
      'a signature of another report',
      `runs/${idOf(0)}/report.signatures`,
      (store, path) => store.put(path, store.objects.get(path.replace(idOf(0), idOf(1))) ?? bytesOf('')),
      /its .*is "?runs\/.*expected "?runs\//,
    ],
    [
      'a signature under the name of another key',
      `runs/${idOf(0)}/report.signatures`,
      (store, path) =>
        store.put(
          path.replace(madeKeys[0].publicKey.id, madeKeys[1].publicKey.id),
          store.objects.get(path) ?? bytesOf(''),
        ),
      /its name is that of another key/,
    ],
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
    const signed = { by: 0, stages: [], reports: [0, 1] } as const
    const from = await made({ runs: [0, 1], sweep: true, signed })
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
    signed: fc.record({
      by: fc.constantFrom(0 as const, 1 as const),
      stages: fc.uniqueArray(fc.nat(60), { maxLength: 30 }),
      reports: fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
    }),
    own: fc.uniqueArray(fc.nat(2), { maxLength: 3 }),
  })
  const stageDigests = ({ stages }: StoreContents) =>
    new Map([...stages].map(([key, { digest }]) => [key, digest]))

  /** Signatures that hold, of the stages and reports with these results. */
  const signaturesOf = ({ stages, runs }: StoreContents) =>
    [...stages.values(), ...[...runs.values()].flatMap(({ report }) => report ?? [])].flatMap(
      ({ digest, signatures }) => signatures.map(({ path }) => `${digest ?? ''} ${path}`),
    )
  const resultsOf = ({ stages, runs }: StoreContents) =>
    new Set(
      [...stages.values(), ...[...runs.values()].flatMap(({ report }) => report ?? [])].map(
        ({ digest }) => digest,
      ),
    )
  /** Whether whatever was copied anew has the signatures that it has in the source. */
  async function isSignedAsIn(from: ObjectStore, before: ObjectStore, after: ObjectStore, extra: boolean) {
    const [source, was, is] = await Promise.all([from, before, after].map(signedContents))
    if (!source || !was || !is) return false
    const has = new Set(signaturesOf(is))
    const [old, results] = [resultsOf(was), resultsOf(is)]
    const wanted = signaturesOf(source).filter((signature) => {
      const digest = signature.split(' ')[0]
      return results.has(digest) && (extra || !old.has(digest))
    })
    return wanted.every((signature) => has.has(signature))
  }
  const signedContents = (store: ObjectStore) => readContents(store, { wantsReport: () => true })

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
          expect(await isSignedAsIn(from, before, whole, true)).toBe(true)
          if (ended.conflict.stages.length === 0 && ended.conflict.runs.length === 0)
            for (const [id, { isOwn }] of (await contentsOf(from)).runs)
              if (isOwn) expect(whole.objects.has(`runs/${id}/own.json`)).toBe(true)
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
          expect(await isSignedAsIn(from, before, broken, false)).toBe(true)
          await copy(from, broken, options)
          expect(digestsOf(broken)).toEqual(digestsOf(whole))
        },
      ),
      { numRuns: Number(process.env.ZEROSHIFT_FUZZ ?? 40) },
    )
    expect(copies).toBeGreaterThan(5)
  })
})
