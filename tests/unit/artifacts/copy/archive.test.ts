import { blobPath } from '../../../../artifacts/format/layout.ts'
import { objectsIn } from '../../../../artifacts/copy/archive-objects.ts'
import { planImport, readIntact } from '../../../../artifacts/copy/plan-copy.ts'
import { writeCopy } from '../../../../artifacts/copy/write-copy.ts'
import type { ObjectStore } from '../../../../artifacts/store/object-store.ts'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Header, Pax } from 'tar'
import { beforeEach, describe, expect, test } from 'vitest'
import { ArchiveStore, writeArchive } from '../../../../artifacts/copy/archive.ts'
import { flawIn } from '../../../../cli/actions/store-copy.ts'
import { sha256 } from '../../../../common/canonical.ts'
import { UserError } from '../../../../common/errors.ts'
import { testDirectory } from '../../../support/directories.ts'
import { damageOf, madeRuns, madeSweep, makeStore } from '../../../support/made-store.ts'
import { MemoryStore } from '../../../support/memory-store.ts'
import { bytesOf } from '../../../support/store-behaviour.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = testDirectory()
  file = join(directory, 'runs.tar')
})

async function exported(store: ObjectStore, to: string, ids?: readonly string[]): Promise<void> {
  const contents = await readIntact(store, { reportFlaw: flawIn(store), ...(ids && { ids }) })
  await writeArchive(to, objectsIn(store, contents), () => undefined)
}

async function imported(from: string, to: ObjectStore): Promise<void> {
  const archive = await ArchiveStore.open(from)
  try {
    const planned = await planImport(archive, to, { reportFlaw: flawIn(archive) })
    await writeCopy(planned, { pages: false })
  } finally {
    await archive.close()
  }
}

const objectOf = (path: string, bytes: Uint8Array) => ({
  ...{ path, bytes: bytes.length },
  read: () => Promise.resolve(bytes),
})
const digestsOf = ({ objects }: MemoryStore) =>
  Object.fromEntries([...objects].map(([path, bytes]) => [path, sha256(bytes)]))
const [first, second] = madeRuns.map(({ id }) => id)

describe('an archive', () => {
  test('holds a store, which comes back sound; its pages are left to be rendered', async () => {
    const store = new MemoryStore('memory://made')
    const signed = { by: 0, stages: [0, 5], reports: [0, 2] } as const
    await makeStore(store, { runs: [0, 1, 2], sweep: true, signed, own: [1] })
    await exported(store, file)
    const to = new MemoryStore('memory://empty')
    await imported(file, to)
    const pages = [...store.objects.keys()].filter((path) => path.endsWith('.html'))
    expect(pages).toHaveLength(3)
    for (const path of pages) store.objects.delete(path)
    expect(digestsOf(to)).toEqual(digestsOf(store))
    expect(await damageOf(to)).toEqual([])
  })

  test('of the same runs has the same bytes, whatever else the store has', async () => {
    const [one, other] = [new MemoryStore('memory://a'), new MemoryStore('memory://b')]
    await makeStore(one, { runs: [0] })
    await makeStore(other, { runs: [2, 1, 0], format: 1 })
    await exported(one, file, [first ?? ''])
    await exported(other, join(directory, 'other.tar'), [first ?? ''])
    expect(readFileSync(join(directory, 'other.tar')).equals(readFileSync(file))).toBe(true)
  })

  test('is read by tar: sorted, without times and owners, long names too', async () => {
    const long = `runs/${'r'.repeat(160)}/run.json`
    const objects = [
      objectOf('store.json', bytesOf('{}')),
      objectOf(long, bytesOf('long')),
      objectOf(`blobs/sha256/ab/${'ab'.repeat(32)}`, new Uint8Array()),
      objectOf(`sweeps/${'s'.repeat(120)}/sweep.json`, new Uint8Array(1000).fill(7)),
    ]
    await writeArchive(file, objects, () => undefined)
    const listed = spawnSync('tar', ['--utc', '--numeric-owner', '-tvf', file], { encoding: 'utf8' })
    expect(listed.stderr).toBe('')
    const lines = listed.stdout.trim().split('\n')
    expect(lines.map((line) => line.split(' ').at(-1))).toEqual(objects.map(({ path }) => path).sort())
    for (const line of lines) expect(line).toMatch(/^-rw-r--r-- 0\/0 +\d+ 1970-01-01 00:00 /)
    spawnSync('tar', ['-xf', file, '-C', directory])
    for (const { path, read } of objects)
      expect(readFileSync(join(directory, path)).equals(Buffer.from(await read()))).toBe(true)
    const archive = await ArchiveStore.open(file)
    expect(archive.paths()).toEqual(objects.map(({ path }) => path).sort())
    for (const { path, read } of objects)
      expect(Buffer.from((await archive.get(path)) ?? [])).toEqual(Buffer.from(await read()))
    await archive.close()
  })

  test('that tar wrote is read as well, where it holds the same files', async () => {
    writeFileSync(join(directory, 'store.json'), '{ "format": 1, "undigested": [] }')
    spawnSync('tar', ['-cf', file, '-C', directory, 'store.json'])
    const archive = await ArchiveStore.open(file)
    expect(archive.paths()).toEqual(['store.json'])
    await archive.close()
  })

  test('is there whole or not at all, and overwrites nothing', async () => {
    const broken = { ...objectOf('store.json', bytesOf('{}')), read: () => Promise.reject(new Error('gone')) }
    await expect(writeArchive(file, [broken], () => undefined)).rejects.toThrow('gone')
    expect(readdirSync(directory)).toEqual([])
    writeFileSync(file, 'mine')
    await expect(writeArchive(file, [], () => undefined)).rejects.toThrow(/is there already/)
    await expect(writeArchive(join(file, 'below'), [], () => undefined)).rejects.toThrow(UserError)
    expect(readdirSync(directory)).toEqual(['runs.tar'])
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })
})

interface Member {
  readonly path: string
  readonly bytes: Uint8Array
  readonly type?: 'File' | 'SymbolicLink' | 'Link' | 'Directory' | 'CharacterDevice' | 'FIFO'
  readonly linkpath?: string
  /** Claimed in place of the true one. */
  readonly size?: number
  /** Said by an extended header. */
  readonly extended?: string
}

function tarOf(members: readonly Member[]): Buffer {
  const blocks = members.flatMap(({ path, bytes, type = 'File', linkpath, size, extended }) => {
    const block = Buffer.alloc(512)
    new Header({
      path,
      type,
      size: size ?? bytes.length,
      mtime: new Date(0),
      ...(linkpath !== undefined && { linkpath }),
    }).encode(block)
    return [
      ...(extended === undefined ? [] : [new Pax({ path: extended }).encode()]),
      ...[block, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)],
    ]
  })
  return Buffer.concat([...blocks, Buffer.alloc(1024)])
}

describe('a hostile archive', () => {
  const store = new MemoryStore('memory://made')
  let whole: readonly Member[]
  beforeEach(async () => {
    const signed = { by: 0, stages: [0, 1], reports: [0] } as const
    if (store.objects.size === 0) await makeStore(store, { runs: [0, 1], sweep: true, signed, own: [0] })
    whole = [...store.objects]
      .filter(([path]) => !path.endsWith('.html'))
      .map(([path, bytes]) => ({ path, bytes }))
  })
  const with_ = (...more: readonly Member[]) => tarOf([...whole, ...more])
  const changed = (start: string, change: (bytes: Uint8Array) => Uint8Array) => {
    const victim = whole.find(({ path }) => path.startsWith(start))
    return tarOf(whole.map((one) => (one === victim ? { ...one, bytes: change(one.bytes) } : one)))
  }
  const text = bytesOf('x')
  const surplus = blobPath({ sha256: sha256(text), bytes: 1 })

  const cases: readonly (readonly [string, () => Buffer, RegExp])[] = [
    [
      'an absolute name',
      () => with_({ path: '/etc/x', bytes: text }),
      /"\/etc\/x", a name that nothing in a store has/,
    ],
    ['a name that leads out', () => with_({ path: '../x', bytes: text }), /"\.\.\/x", a name/],
    [
      'one that leads out further in',
      () => with_({ path: 'runs/../../run.json', bytes: text }),
      /a name that/,
    ],
    [
      'one that an extended header gives',
      () => with_({ path: 'store.json', bytes: text, extended: '../x' }),
      /"\.\.\/x", a name/,
    ],
    [
      'a lease',
      () => with_({ path: `stages/train/${'0'.repeat(64)}/lease/000001.json`, bytes: text }),
      /a name that/,
    ],
    [
      'a signature in a folder further down',
      () => with_({ path: `stages/train/${'0'.repeat(64)}/signatures/a/b.json`, bytes: text }),
      /a name that/,
    ],
    [
      'a signature of a stage that is not there',
      () => with_({ path: `stages/train/${'0'.repeat(64)}/signatures/a.json`, bytes: text }),
      /nothing in the archive names it/,
    ],
    [
      'a signature that is none',
      () =>
        tarOf(whole.map((one) => (one.path.includes('/report.signatures/') ? { ...one, bytes: text } : one))),
      /this is no DSSE envelope/,
    ],
    [
      'a note of a run that is not there',
      () => with_({ path: 'runs/other-00000000/own.json', bytes: text }),
      /other-00000000\/run\.json: it is missing/,
    ],
    ['a page', () => with_({ path: `runs/${first ?? ''}/report/index.html`, bytes: text }), /a name that/],
    ['a file of a doctor', () => with_({ path: 'doctor/x', bytes: text }), /a name that/],
    [
      'a blob in another folder',
      () => with_({ path: surplus.replace(/sha256\/../, 'sha256/00'), bytes: text }),
      /a name that/,
    ],
    ...(['SymbolicLink', 'Link', 'Directory', 'CharacterDevice', 'FIFO'] as const).map(
      (type) =>
        [
          `a ${type}`,
          () => with_({ path: surplus, bytes: new Uint8Array(), type, linkpath: '/etc/passwd' }),
          /is no regular file/,
        ] as const,
    ),
    ['a name twice', () => with_({ path: 'store.json', bytes: text }), /"store\.json" twice/],
    [
      'a blob that nothing names',
      () => with_({ path: surplus, bytes: text }),
      /nothing in the archive names it/,
    ],
    [
      'a size beyond its end',
      () => with_({ path: surplus, bytes: text, size: 1e9 }),
      /ends in the middle of "blobs/,
    ],
    [
      'a record of a gigabyte',
      () => with_({ path: `runs/x-00000000/run.json`, bytes: text, size: 2 ** 30 }),
      /ends in the middle/,
    ],
    ['no end', () => with_().subarray(0, -1024), /ends in the middle, after/],
    ['half of it', () => with_().subarray(0, 20_000), /ends in the middle/],
    ['no tar', () => Buffer.from('PK'.repeat(600)), /no tar header at byte 0/],
    ['nothing', () => Buffer.alloc(0), /ends in the middle, after 0 bytes/],
    ['blocks of zeros', () => Buffer.alloc(1024), /has no store\.json/],
    ['no store.json', () => tarOf(whole.filter(({ path }) => path !== 'store.json')), /has no store\.json/],
    [
      'a later format',
      () => changed('store.json', () => bytesOf('{"format": 2}')),
      /has the format 2; expected 1/,
    ],
    [
      'a blob of other contents',
      () => changed('blobs/', (bytes) => bytes.map((byte) => byte ^ 1)),
      /expected \d+ bytes with the one in its name/,
    ],
    ['a blob of another size', () => changed('blobs/', (bytes) => bytes.subarray(1)), /expected \d+/],
    ['a manifest of another', () => changed('stages/train', () => bytesOf('{}')), /no whole manifest/],
    [
      'a run that is another',
      () => changed(`runs/${second ?? ''}/run`, () => bytesOf('{"id": "x"}')),
      /no whole record/,
    ],
    [
      'a report of other figures',
      () => changed(`runs/${first ?? ''}/report`, () => bytesOf('{}')),
      /not the report of a run/,
    ],
    [
      'a sweep of runs that are not there',
      () => tarOf(whole.filter(({ path }) => !path.startsWith(`runs/${second ?? ''}`))),
      /has no record that holds/,
    ],
    [
      'a sweep under another name',
      () => changed(`sweeps/${madeSweep}`, () => bytesOf('{"id": "other", "cells": []}')),
      /no whole record of the sweep/,
    ],
  ]
  test.each(cases)('with %s is refused, and no stage, run or sweep is written', async (_, bytes, message) => {
    writeFileSync(file, bytes())
    const to = new MemoryStore('memory://empty')
    const importing = imported(file, to)
    await expect(importing).rejects.toThrow(UserError)
    await expect(importing).rejects.toThrow(message)
    expect(to.written.filter((path) => !path.startsWith('blobs/'))).toEqual([])
    expect(readdirSync(directory)).toEqual(['runs.tar'])
  })

  test('without any change is taken', async () => {
    writeFileSync(file, with_())
    const to = new MemoryStore('memory://empty')
    await imported(file, to)
    expect(to.objects.size).toBe(whole.length)
  })

  test('that is no regular file is refused at once', async () => {
    spawnSync('mkfifo', [file])
    await expect(ArchiveStore.open(file)).rejects.toThrow(/is a FIFO, expected a regular file/)
    await expect(ArchiveStore.open(join(directory, 'none'))).rejects.toThrow(/there is no such file/)
    await expect(ArchiveStore.open(directory)).rejects.toThrow(/is a directory/)
  })
})
