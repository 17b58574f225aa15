import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { FileStore } from '../../../artifacts/store/file-store.ts'
import type { Copied } from '../../../artifacts/copy/write-copy.ts'
import { sha256 } from '../../../common/canonical.ts'
import { publicPem } from '../../../signatures/keys.ts'
import { fileDirectory, testDirectory } from '../../support/directories.ts'
import { damageOf, madeKeys, madeRuns, makeStore } from '../../support/made-store.ts'
import { zeroshiftHere } from '../../support/in-process.ts'

type Answer = Copied & { readonly from: string; readonly to: string; readonly dryRun: boolean }

const root = fileDirectory()
const [first = '', second = ''] = madeRuns.map(({ id }) => id)
beforeAll(async () => {
  await makeStore(new FileStore(join(root, 'made')), { runs: [0, 1] })
  await makeStore(new FileStore(join(root, 'other')), { runs: [0], devices: { train: 'b', unlearn: 'b' } })
})
let directory: string
beforeEach(() => {
  directory = testDirectory()
  for (const name of ['made', 'other']) cpSync(join(root, name), join(directory, name), { recursive: true })
})

const store = (...args: readonly string[]) => zeroshiftHere(directory, 'store', ...args)
async function answered(...args: readonly string[]) {
  const { code, stdout, stderr } = await store(...args, '--json')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout.split('\n')).toHaveLength(2)
  return JSON.parse(stdout) as Answer
}
const contents = async (name: string) => {
  const files = new FileStore(join(directory, name))
  const objects = await Promise.all(
    (await files.list('')).map(async ({ path }) => [path, (await files.getHashed(path))?.sha256] as const),
  )
  return Object.fromEntries(objects)
}

describe('store copy', () => {
  test('copies a directory; the second time there is nothing to do', async () => {
    const { stdout, code } = await store('copy', 'made', 'to')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Copied to .*\/to: 2 runs, 28 stages, 28 blobs \(1\.97 kB\)$/m)
    expect(stdout).toMatch(/^There already: 0 runs, 0 stages, 0 blobs \(0 B\)$/m)
    expect(await contents('to')).toEqual(await contents('made'))
    const again = await answered('copy', 'made', pathToFileURL(join(directory, 'to')).href)
    expect(again.copied).toEqual({ runs: 0, sweeps: 0, stages: 0, signatures: 0, blobs: 0, bytes: 0 })
    expect(again.present).toMatchObject({ runs: 2, stages: 28, blobs: 28 })
  })

  test('--dry-run says the same and writes nothing', async () => {
    const planned = await answered('copy', 'made', 'to', '--dry-run', '--run', first)
    expect(existsSync(join(directory, 'to'))).toBe(false)
    const done = await answered('copy', 'made', 'to', '--run', first)
    expect(done).toEqual({ ...planned, dryRun: false })
    expect(done.copied.runs).toBe(1)
  })

  test('different results are refused, until one side is named', async () => {
    const before = await contents('other')
    const { code, stderr } = await store('copy', 'made', 'other')
    expect(code).toBe(2)
    expect(stderr).toContain('--keep target')
    expect(await contents('other')).toEqual(before)
    const { stdout } = await store('copy', 'made', 'other', '--keep', 'source')
    expect(stdout).toMatch(/Of the target, deleted, since the source has other results: \d+ stages/)
    expect(await contents('other')).toMatchObject(await contents('made'))
    expect(await damageOf(new FileStore(join(directory, 'other')))).toEqual([])
  })

  test.each<[readonly string[], RegExp]>([
    [['copy', 'made', 'made'], /are the same store/],
    [['copy', 'made', 'link'], /are the same store/],
    [['copy', 'nowhere', 'to'], /has no run and no stage/],
    [['copy', 'made', 'to', '--keep', 'both'], /--keep: expected target or source, found 'both'/],
    [['copy', 'made', 'to', '--run', 'nothing-00000000'], /no run and no sweep 'nothing-00000000'/],
    [['copy', 'made', 'to', '--run', '../x'], /is no name of something in a store/],
    [['copy', 'made', 'file'], /the store .*file cannot be written to: it, or a folder above it, is a file/],
    [['copy', 'ftp://host/a', 'to'], /of an unknown kind/],
    [['export', 'file', '--store', 'made'], /file is there already/],
    [['export', 'x.tar', '--store', 'made', '--run', 'nothing-00000000'], /no run and no sweep/],
    [['import', 'nowhere.tar'], /nowhere\.tar: there is no such file/],
    [['import', 'file'], /file: the archive ends in the middle/],
  ])('%j is refused, and nothing is written', async (args, message) => {
    writeFileSync(join(directory, 'file'), '')
    symlinkSync('made', join(directory, 'link'))
    const before = await contents('.')
    const { code, stdout, stderr } = await store(...args)
    expect(stderr).toMatch(message)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(await contents('.')).toEqual(before)
  })
})

describe('signed results', () => {
  const signers = async (place: string) => {
    writeFileSync(join(directory, 'key.pub'), publicPem(madeKeys[0].publicKey))
    const args = ['check', '--store', place, '--require-signature', 'key.pub', '--json']
    const { code, stdout } = await zeroshiftHere(directory, ...args)
    return { code, signatures: (JSON.parse(stdout) as { readonly signatures: number }).signatures }
  }

  test('stay signed in a copy and in an archive', async () => {
    const stages = Array.from({ length: 60 }, (_, i) => i)
    const signed = { by: 0, stages, reports: [0] } as const
    await makeStore(new FileStore(join(directory, 'signed')), { runs: [0], signed, own: [0] })
    const { code, signatures } = await signers('signed')
    expect([code, (await signers('made')).code]).toEqual([0, 1])
    const { stdout } = await store('copy', 'signed', 'to')
    expect(stdout).toContain(` stages, ${signatures} signatures, `)
    expect(await contents('to')).toEqual(await contents('signed'))
    await answered('export', 'runs.tar', '--store', 'signed')
    await answered('import', 'runs.tar', '--store', 'imported')
    expect([await signers('to'), await signers('imported')]).toEqual(Array(2).fill({ code: 0, signatures }))
    expect(Object.keys(await contents('imported'))).toContain(`runs/${first}/own.json`)
    // Into a store with the same results, unsigned.
    expect((await answered('copy', 'signed', 'made')).copied).toMatchObject({ stages: 0, signatures })
    expect((await signers('made')).signatures).toBe(signatures)
  })
})

describe('store export and import', () => {
  test('bring runs into another store, where their pages are rendered', async () => {
    await answered('export', 'runs.tar', '--store', 'made', '--run', first)
    await answered('export', 'again.tar', '--store', 'made', '--run', first)
    expect(sha256(readFileSync(join(directory, 'again.tar')))).toBe(
      sha256(readFileSync(join(directory, 'runs.tar'))),
    )
    const { copied, to } = await answered('import', 'runs.tar', '--store', 'to')
    expect(to).toBe(pathToFileURL(join(directory, 'to')).href)
    expect(copied.runs).toBe(1)
    const [made, came] = [await contents('made'), await contents('to')]
    expect(
      Object.keys(came)
        .filter((path) => path.startsWith(`runs/`))
        .sort(),
    ).toEqual(
      ['index.html', 'outcomes.json', 'report.json', 'report.md', 'results.csv', 'results.tex']
        .map((name) => `runs/${first}/report/${name}`)
        .concat(`runs/${first}/run.json`),
    )
    for (const [path, digest] of Object.entries(came))
      if (!/index\.html|report\.md|outcomes\.json|results\./.test(path)) expect(made[path]).toBe(digest)
    expect(await damageOf(new FileStore(join(directory, 'to')))).toEqual([])
    expect(Object.keys(came).some((path) => path.includes(second))).toBe(false)

    const { stdout } = await store('import', 'runs.tar', '--store', 'to', '--dry-run')
    expect(stdout).toMatch(/^To copy to .*: 0 runs, 0 stages, 0 blobs \(0 B\)$/m)
    expect(await contents('to')).toEqual(came)
  })

  test('an archive whose results differ is refused as a store is', async () => {
    await answered('export', 'runs.tar', '--store', 'other')
    const before = await contents('made')
    const { code, stderr } = await store('import', 'runs.tar', '--store', 'made')
    expect(code).toBe(2)
    expect(stderr).toContain('--keep source')
    expect(await contents('made')).toEqual(before)
  })
})
