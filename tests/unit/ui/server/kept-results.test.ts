import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { FoundRun } from '../../../../activities/comparison.ts'
import { KeptResults, type KeptResultsOptions } from '../../../../ui/server/kept-results.ts'
import { testDirectory } from '../../../support/directories.ts'

const results = (count: number) =>
  new Map(
    Array.from({ length: count }, (_, i): [string, FoundRun] => [
      `cell-${i} 1`,
      { command: `run ${i}`, outcome: { missing: `${i / 3}` } },
    ]),
  )
const options = (more: Partial<KeptResultsOptions> = {}): KeptResultsOptions => ({
  ...{ folder: join(testDirectory(), 'ui'), store: 'file:///store', version: '1.0.0', ...more },
})

it('gives the results of a large sweep to the next server, once', async () => {
  const given = options()
  const first = new KeptResults(given)
  expect(await first.load('ranks')).toEqual(new Map())
  await first.save('ranks', results(400))
  const next = new KeptResults(given)
  expect(await next.load('ranks')).toEqual(results(400))
  expect(await next.load('ranks')).toEqual(new Map())
  expect(await next.load('other')).toEqual(new Map())
})

it('keeps nothing for another store or version, of a small sweep, or in a damaged file', async () => {
  const given = options()
  await new KeptResults(given).save('ranks', results(400))
  for (const other of [{ store: 'file:///other' }, { version: '1.0.1' }])
    expect(await new KeptResults({ ...given, ...other }).load('ranks')).toEqual(new Map())
  await new KeptResults(given).save('small', results(100))
  const files = readdirSync(given.folder)
  expect(files).toHaveLength(1)
  const file = join(given.folder, files[0] ?? '')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -10))
  expect(await new KeptResults(given).load('ranks')).toEqual(new Map())
})

it('writes again only if a tenth of the results is new, and does without a folder that cannot be', async () => {
  const given = options()
  const kept = new KeptResults(given)
  await kept.save('ranks', results(400))
  await kept.save('ranks', results(420))
  expect((await new KeptResults(given).load('ranks')).size).toBe(400)
  await kept.save('ranks', results(500))
  expect((await new KeptResults(given).load('ranks')).size).toBe(500)
  const file = join(testDirectory(), 'file')
  writeFileSync(file, '')
  const none = new KeptResults(options({ folder: join(file, 'ui') }))
  await none.save('ranks', results(400))
  expect(await none.load('ranks')).toEqual(new Map())
})
