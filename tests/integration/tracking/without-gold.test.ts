import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SweepCounts } from '../../../cli/output/output.ts'
import { NO_GOLD } from '../../../experiment/records/no-gold.ts'
import { answerOf, zeroshift } from '../../support/command.ts'
import { testDirectory } from '../../support/directories.ts'
import { mlflowServer } from '../../support/mlflow.ts'
import { forFile } from '../../support/release.ts'
import { tinyBase, writeSweep } from '../../support/tiny-sweep.ts'
import { holds } from './holds.ts'

test('a sweep without gold is compared and tracked without the figures that need gold', async () => {
  const { url } = await forFile(mlflowServer({ workers: 2 }))
  const directory = testDirectory()
  const base = `${tinyBase}gold: none\ntracking: { uri: '${url}', experiment: without gold }\n`
  writeSweep(directory, 'grid: { "methods[0].rank": [1, 2] }', base)
  const { code, stdout, stderr } = await zeroshift(directory, 'sweep', 'ranks.yaml', '--json').ended
  expect(code, stderr).toBe(0)
  const answer = answerOf(stdout)
  expect(answer.status).toBe('completed')
  expect(answer.cells as SweepCounts).toMatchObject({ cells: 2, done: 2, failures: [] })

  const folder = fileURLToPath(answer.report)
  const csv = readFileSync(join(folder, 'results.csv'), 'utf8')
  expect(csv.split('\n').filter((line) => line.includes('rfa'))).toHaveLength(2)
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toContain(NO_GOLD)
  expect(existsSync(join(folder, 'report.json'))).toBe(true)

  const held = await holds(url, 'without gold')
  const methods = held.filter(({ name }) => name === 'rfa')
  const [sweep] = held.filter(({ name }) => name === answer.id)
  expect(held).toHaveLength(1 + 2 + 2)
  expect(held.map(({ status }) => status)).toEqual(held.map(() => 'FINISHED'))
  for (const { metrics } of methods) {
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['ua', 'ra', 'ta', 'zrf', 'validationGap']))
    for (const name of ['averageGap', 'jsDivergence', 'rte']) expect(metrics).not.toHaveProperty(name)
  }
  expect(sweep?.metrics).toMatchObject({ cells: [[0, 2, expect.any(Number)]] })
  expect(sweep?.metrics).not.toHaveProperty('lowestAverageGap')
})
