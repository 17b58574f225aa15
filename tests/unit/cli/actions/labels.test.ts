import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { labelsIn } from '../../../../cli/workspace/labels.ts'
import { jsonBytes } from '../../../../common/json.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { makeStore, madeRuns } from '../../../support/made-store.ts'

const id = madeRuns[0]?.id ?? ''
let directory: string
let artifacts: Artifacts
beforeEach(async () => {
  directory = testDirectory()
  artifacts = openArtifacts(join(directory, '.zeroshift/store'))
  await makeStore(artifacts.store, { runs: [0], own: [0] })
})
const zeroshift = (...args: readonly string[]) => zeroshiftHere(directory, ...args)
async function done(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await zeroshift(...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

test('tags are added and removed, a note is written and deleted, and without changes both are shown', async () => {
  expect(await done('tag', id, '+paper', '+seed:3', '-none')).toBe(`${id}: paper, seed:3\n`)
  expect(await done('tag', 'last', '-paper', '+a', '--json')).toBe(
    `${JSON.stringify({ id, tags: ['a', 'seed:3'], note: null })}\n`,
  )
  expect(await done('note', id.slice(0, 8), 'for the appendix')).toBe(`${id}: a, seed:3\nfor the appendix\n`)
  expect(await done('tag', id)).toBe(`${id}: a, seed:3\nfor the appendix\n`)
  expect(await artifacts.labels(id)).toEqual({ tags: ['a', 'seed:3'], note: 'for the appendix' })
  expect(await done('note', id, '--delete')).toBe(`${id}: a, seed:3\n`)
  await done('tag', id, '-a', '-seed:3')
  expect(await artifacts.store.size(`runs/${id}/labels.json`)).toBeUndefined()
})

test.each([
  [['tag', id, 'paper'], "'paper' is no change of tags; expected +name or -name"],
  [['tag', id, '+a b'], "'+a b' is no change of tags; expected +name or -name"],
  [['tag', id, '+ok', '--zzz'], "error: unknown option '--zzz'"],
  [['tag', 'other-00000000', '+a'], "has no run 'other-00000000'"],
  [['note', id, 'x'.repeat(4001)], 'a note has at most 4000 characters, found 4001'],
  [['note', id, 'text', '--delete'], '--delete deletes the note; expected no text with it'],
  [['tag', id, ...Array.from({ length: 51 }, (_, i) => `+t${i}`)], 'a run has at most 50 tags, found 51'],
])('%j is refused, and nothing is written', async (args, message) => {
  const { code, stderr } = await zeroshift(...args)
  expect(stderr).toContain(message)
  expect(code).toBe(2)
  expect(await artifacts.labels(id)).toBeUndefined()
})

test('a report shows them, and its digest stays', async () => {
  await done('report', id, '--out', 'before')
  await done('tag', id, '+paper')
  await done('note', id, 'for <the> appendix')
  await done('report', id, '--out', 'after')
  const read = (name: string) => readFileSync(join(directory, name), 'utf8')
  const [before, after] = ['before', 'after'].map(
    (folder) =>
      JSON.parse(read(`${folder}/report.json`)) as { digest: string; clock: object; computed: object },
  )
  expect(after?.digest).toBe(before?.digest)
  expect(after?.computed).toEqual(before?.computed)
  expect(after?.clock).toEqual({
    ...before?.clock,
    labels: { tags: ['paper'], note: 'for <the> appendix' },
  })
  expect(read('after/index.html')).toContain('for &#60;the&#62; appendix')
  expect(read('after/report.md')).toContain('Tags: paper')
  expect(read('before/report.md')).not.toContain('Tags')
})

test('they go with copies and archives, and do not replace those of the target', async () => {
  await done('tag', id, '+paper')
  await done('store', 'copy', '.zeroshift/store', 'copied')
  await done('store', 'export', 'runs.tar')
  await done('store', 'import', 'runs.tar', '--store', 'imported')
  for (const name of ['copied', 'imported'])
    expect(await labelsIn(join(directory, name))).toEqual(new Map([[id, { tags: ['paper'] }]]))

  await done('tag', id, '+other', '--store', 'copied')
  await done('store', 'copy', '.zeroshift/store', 'copied')
  expect(await openArtifacts(join(directory, 'copied')).labels(id)).toEqual({ tags: ['other', 'paper'] })

  // The target has the run, without labels.
  await done('tag', id, '-paper', '--store', 'imported')
  await done('store', 'copy', '.zeroshift/store', 'imported')
  expect(await openArtifacts(join(directory, 'imported')).labels(id)).toEqual({ tags: ['paper'] })
})

test('damaged ones are ignored by reports and refused by copies', async () => {
  await artifacts.store.put(`runs/${id}/labels.json`, jsonBytes({ tags: ['a b'], script: '<script>' }))
  await done('report', id)
  const { code, stderr } = await zeroshift('store', 'copy', '.zeroshift/store', 'copied')
  expect(stderr).toContain('labels.json: these are no tags and note of a run')
  expect(code).toBe(2)
})

test('rm removes them with the run', async () => {
  await done('tag', id, '+paper')
  await done('rm', id, '--delete')
  expect((await artifacts.store.list('runs/')).map(({ path }) => path)).toEqual([])
})
