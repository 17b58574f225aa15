import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { findReport, type ReportSelection } from '../../../../cli/workspace/find-report.ts'
import { UserError } from '../../../../common/errors.ts'
import { recordOf } from '../../../../experiment/records/run.ts'
import { renderJson } from '../../../../report/comparison/json.ts'
import { testDirectory } from '../../../support/directories.ts'
import { errorOf } from '../../../support/errors.ts'
import { sampleRun } from '../../../support/run.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
})

/** A run's report as far as it is looked at before it is read. */
const own = (id: string) => JSON.stringify({ computed: { spec: { name: id } } })

function write(path: string, text: string): string {
  mkdirSync(join(directory, path, '..'), { recursive: true })
  writeFileSync(join(directory, path), text)
  return join(directory, path)
}

async function problem(target: string, wanted: ReportSelection = {}): Promise<string> {
  return (await errorOf(findReport(target, wanted), UserError)).message
}

test('a report is found by its file, and by its folder', async () => {
  const file = write('report/report.json', own('one'))
  const found = { text: own('one'), where: file, signatures: [], attachment: expect.any(Function) as unknown }
  expect(await findReport(file, {})).toEqual(found)
  expect(await findReport(join(directory, 'report'), {})).toEqual(found)
})

test("a report is found by its run's id in a store, which knows where the data was", async () => {
  const store = join(directory, 'store')
  const input = sampleRun({ store: pathToFileURL(store).href })
  const artifacts = openArtifacts(store)
  const { id } = input.run
  await artifacts.putRun(recordOf({ ...input, settings: { ...input.settings, dataDirectory: '/data' } }))
  expect(await problem(id, { store })).toMatch(/has no report yet.*resume/)
  await artifacts.putReport(id, { 'report.json': own(id) })
  expect(await findReport(id, { store })).toMatchObject({ text: own(id), dataDirectory: '/data' })
})

/** The report of a comparison, with links to the pages of its runs. */
const comparison = (runs: readonly { readonly id: string; readonly link?: string }[]) =>
  renderJson({
    command: './zeroshift sweep ranks.yaml',
    columns: [],
    runs: runs.map((run) => ({ ...run, values: [], command: '', outcome: { missing: 'it failed' } })),
  }).json

test('a comparison leads to the report of one of its runs', async () => {
  const ids = Array.from({ length: 12 }, (_, i) => `cell-${i}`)
  const runs = ids.map((id) => ({ id, link: `../../../runs/${id}/report/index.html` }))
  const file = write('sweeps/ranks/report/report.json', comparison(runs))
  const where = write('runs/cell-11/report/report.json', own('cell-11'))
  expect(await findReport(file, { run: 'cell-11' })).toEqual({
    ...{ text: own('cell-11'), where, signatures: [] },
    attachment: expect.any(Function) as unknown,
  })

  const all = `${file}: this report compares runs, which are verified one at a time: name one with --run. It has ${ids.slice(0, 10).join(', ')} and 2 more`
  expect(await problem(file)).toBe(all)
  expect(await problem(file, { run: 'cell-12' })).toMatch(
    /compares no run 'cell-12'\. It has cell-0, .* and 2 more$/,
  )
  expect(await problem(file, { run: 'cell-3' })).toMatch(
    /runs\/cell-3\/report\/report\.json: there is no such file/,
  )
})

test('a run of a comparison needs a report of its own, on this machine', async () => {
  const runs = [{ id: 'lost' }, { id: 'away', link: 'https://example.org/away/index.html' }]
  const file = write('report.json', comparison(runs))
  expect(await problem(file, { run: 'lost' })).toMatch(/the run lost has no report of its own/)
  expect(await problem(file, { run: 'away' })).toMatch(/https:\/\/example\.org\/away\/report\.json/)
})

test('what is no report is refused with its place', async () => {
  const file = write('notes.txt', 'name: sample')
  expect(await problem(file)).toBe(`${file}: this is no whole JSON; expected a report.json`)
  expect(await problem(directory)).toMatch(/report\.json: there is no such file/)
})
