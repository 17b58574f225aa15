import { utimesSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test } from 'vitest'
import { openArtifacts, type Artifacts } from '../../../../artifacts/artifacts.ts'
import { closestId, idIn, matchingId, runIdIn } from '../../../../cli/workspace/named-run.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { sampleSweep } from '../../../support/library.ts'
import { sampleRun } from '../../../support/run.ts'

const known = [
  { id: 'digits-00000001', date: 1, isCell: false },
  { id: 'digits-class-00000002', date: 2, isCell: false },
  { id: 'ranks-00000003', date: 3, isCell: true },
]

describe('a word that names a run', () => {
  test.each([
    ['its id', 'digits-00000001', 'digits-00000001'],
    ['the beginning of one id', 'digits-c', 'digits-class-00000002'],
    ['a single letter', 'r', 'ranks-00000003'],
    ['last, which is no cell', 'last', 'digits-class-00000002'],
    ['an unknown one', 'rank-', undefined],
    ['the end of an id', '00000001', undefined],
  ])('%s', (_, word, expected) => {
    expect(matchingId(word, known)).toBe(expected)
  })

  test('an ambiguous beginning is refused with the candidates', () => {
    expect(() => matchingId('digits', known)).toThrow(
      "'digits' is the beginning of 2 ids: digits-00000001, digits-class-00000002; give more of one of them",
    )
  })

  test('last is the newest cell where there are only cells', () => {
    expect(matchingId('last', known.slice(2))).toBe('ranks-00000003')
    expect(matchingId('last', [])).toBeUndefined()
  })

  test('an unknown one has the closest id, or all', () => {
    const ids = known.map(({ id }) => id)
    expect(closestId('digit-00000001', ids)).toBe('did you mean digits-00000001?')
    expect(closestId('cifar10', ids)).toBe(`it has ${ids.join(', ')}`)
  })
})

describe('in a store', () => {
  const [first, second] = [1, 2].map((seed) => sampleRun({ name: `seed-${seed}`, seed }).run)
  if (!first || !second) throw new Error('expected two runs')
  let directory: string
  let artifacts: Artifacts
  beforeEach(async () => {
    directory = testDirectory()
    artifacts = openArtifacts(`${directory}/.zeroshift/store`)
    for (const run of [first, second]) await artifacts.putRun(run)
    for (const { id } of [first, second]) await artifacts.markOwn(id)
    dated(`runs/${first.id}/run.json`, 10)
    dated(`runs/${second.id}/run.json`, 20)
  })
  const dated = (path: string, seconds: number) => {
    utimesSync(fileURLToPath(artifacts.store.locate(path)), seconds, seconds)
  }

  test('last is the run or the sweep with the newest record, and a run where only runs count', async () => {
    expect(await idIn(artifacts.store, 'last')).toBe(second.id)
    const sweep = sampleSweep('ranks-00000009', [first.id, second.id])
    await artifacts.putSweep(sweep)
    expect(await idIn(artifacts.store, 'last')).toBe(sweep.id)
    expect(await runIdIn(artifacts.store, 'last')).toBe(second.id)
  })

  test.each([
    ['report', ['report', 'last'], second.id],
    ['compare', ['compare', 'seed-1', 'seed-2'], first.id],
    ['rm', ['rm', 'seed-1'], first.id],
    ['verify', ['verify', 'seed-2'], `the run ${second.id} has no report yet`],
    ['track', ['track', 'seed-1'], `the run ${first.id} was started without an MLflow server`],
    ['store export', ['store', 'export', 'out.tar', '--run', 'seed-1'], 'out.tar: 1 run'],
    ['adapter export', ['adapter', 'export', 'last', '--out', 'new'], second.id],
    [
      'resume',
      ['resume', 'seed-1', '--failed'],
      `--failed: for sweeps alone, and ${first.id} is a single run`,
    ],
  ])('%s takes it', async (_, args, says) => {
    const { stdout, stderr } = await zeroshiftHere(directory, ...args)
    expect(stdout + stderr).toContain(says)
  })

  test.each([
    ['report', ['report', 'seed-']],
    ['rm', ['rm', 'seed-', '--delete']],
    ['resume', ['resume', 's']],
    ['store export', ['store', 'export', 'out.tar', '--run', 'seed']],
  ])('%s refuses an ambiguous one', async (_, args) => {
    const { code, stderr } = await zeroshiftHere(directory, ...args)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining(`is the beginning of 2 ids: ${first.id}, ${second.id}`) as string,
    })
  })
})
