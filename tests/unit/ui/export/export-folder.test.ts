import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { unzipSync } from 'fflate'
import { beforeAll, expect, it } from 'vitest'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { paths, type ComparisonView, type RunView } from '../../../../ui/contract.ts'
import { zippedExport } from '../../../../ui/export/export-archive.ts'
import { comparedSubsets, exportFiles } from '../../../../ui/export/export-folder.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { madeRuns, makeStore } from '../../../support/made-store.ts'

const page = new Map(
  [
    ['index.html', '<link href="page.css"><!-- answers --><script src="page.js"></script>'],
    ['page.js', '1'],
  ].map(
    ([path = '', text]) => [path, { bytes: new TextEncoder().encode(text), etag: '', encoded: {} }] as const,
  ),
)
const runs = madeRuns.slice(0, 2).map(({ id }) => id)
const exported = (store: FileStore, ids = runs) =>
  exportFiles({ artifacts: new Artifacts(store), page, version: '9.9.9', runs: ids, withImages: false })
let stores: readonly FileStore[]

beforeAll(async () => {
  const directory = fileDirectory()
  stores = ['first', 'second'].map((name) => new FileStore(join(directory, name)))
  for (const store of stores) await makeStore(store, { runs: [0, 1, 2] })
})

/** Executes the scripts of an export as a page does. Returns the answers that they leave. */
function answersIn(files: ReadonlyMap<string, Uint8Array>): Readonly<Record<string, unknown>> {
  const scope: { zeroshiftAnswers: Record<string, unknown> } = { zeroshiftAnswers: {} }
  for (const [path, bytes] of files)
    if (path.startsWith('api/')) runInNewContext(new TextDecoder().decode(bytes), scope)
  return JSON.parse(JSON.stringify(scope.zeroshiftAnswers)) as Record<string, unknown>
}

it('has the page and one script for each answer', async () => {
  const files = await exported(stores[0] ?? new FileStore('none'))
  expect([...files.keys()].sort()).toEqual(
    [
      'index.html',
      'page.js',
      ...[paths.session(), paths.runs(), paths.comparison(runs)].map((path) => `${path}.js`),
      ...[paths.run, paths.outcomes, paths.features].flatMap((path) => runs.map((run) => `${path(run)}.js`)),
    ].sort(),
  )
  expect(new TextDecoder().decode(files.get('index.html'))).toBe(
    '<link href="page.css"><script src="api/session.js"></script><script src="page.js"></script>',
  )
  const answers = answersIn(files)
  expect(answers[paths.session()]).toEqual({ version: '9.9.9', exported: true })
  const view = answers[paths.run(runs[0] ?? '')] as RunView
  expect(view.rows.length).toBeGreaterThan(0)
  expect(view.entry).toMatchObject({ id: runs[0], state: 'completed' })
})

it('has the comparison of each selection of a few runs, which is that of these runs alone', async () => {
  const all = madeRuns.map(({ id }) => id)
  const answers = answersIn(await exported(stores[0] ?? new FileStore('none'), all))
  const pairs = answersIn(await exported(stores[0] ?? new FileStore('none'), all.slice(0, 2)))
  for (const some of [all, ...all.map((id) => all.filter((one) => one !== id))]) {
    const view = answers[paths.comparison(some)] as ComparisonView
    expect(view.runs).toEqual([...some].sort())
    for (const id of all) expect(JSON.stringify(view.document).includes(id)).toBe(some.includes(id))
  }
  const both = paths.comparison(all.slice(0, 2))
  expect(answers[both]).toEqual(pairs[both])
})

it.each([
  [1, 0],
  [2, 1],
  [3, 4],
  [6, 57],
  [7, 22],
  [11, 56],
  [12, 1],
])('of %i runs has %i comparisons, that of all runs last', (count, comparisons) => {
  const some = Array.from({ length: count }, (_, i) => `run-${i}`)
  const sets = comparedSubsets(some)
  expect(sets).toHaveLength(comparisons)
  expect(new Set(sets.map((set) => set.join())).size).toBe(comparisons)
  if (count > 1) expect(sets.at(-1)).toEqual(some)
})

it('has the same bytes for equal results, wherever and whenever they were stored', async () => {
  const [first, second] = await Promise.all(stores.map((store) => exported(store)))
  if (!first || !second) throw new Error('there are two stores')
  expect([...first.keys()]).toEqual([...second.keys()])
  for (const [path, bytes] of first)
    expect(Buffer.from(bytes).equals(second.get(path) ?? new Uint8Array()), path).toBe(true)
  const archives = [first, second].map((files) => zippedExport(files, 'both'))
  expect(Buffer.from(archives[0] ?? []).equals(archives[1] ?? new Uint8Array())).toBe(true)
})

it('says nothing of the machine', async () => {
  const [store] = stores
  const files = await exported(store ?? new FileStore('none'))
  for (const [path, bytes] of files) expect(new TextDecoder().decode(bytes), path).not.toContain(store?.url)
})

it('is a zip file with one folder', async () => {
  const files = await exported(stores[0] ?? new FileStore('none'), runs.slice(0, 1))
  const unpacked = unzipSync(zippedExport(files, 'folder'))
  expect(Object.keys(unpacked).every((name) => name.startsWith('folder/'))).toBe(true)
  expect(unpacked['folder/page.js']).toEqual(new TextEncoder().encode('1'))
})

it('refuses a run that the store does not have', async () => {
  await expect(exported(stores[0] ?? new FileStore('none'), ['none-01234567'])).rejects.toThrow(/has no run/)
})
