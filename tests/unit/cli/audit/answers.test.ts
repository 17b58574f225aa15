import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { smallConfig } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

/** The answers in JSON to commands without a mistake. */

let directory: string
beforeEach(() => {
  directory = testDirectory()
  mkdirSync(join(directory, '.zeroshift/store'), { recursive: true })
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(
    join(directory, 'sweep.yaml'),
    'name: s\nbase: small.yaml\ngrid: { training.epochs: [1, 2] }\n',
  )
})

const answers: readonly (readonly [readonly string[], object])[] = [
  [['status'], { runs: [] }],
  [['runs'], { runs: [] }],
  [['runs', '--method', 'rfa', '--limit', '5'], { runs: [] }],
  [['gc'], { deleted: false, bytes: 0 }],
  [['check'], { sound: true, damage: [] }],
  [['methods'], {}],
  [['metrics'], {}],
  [['methods', 'rfa'], { name: 'rfa' }],
  [['metrics', 'ua'], { name: 'ua', unit: '%' }],
  [['du'], { bytes: 0, runs: [] }],
  [['data', 'inspect', 'small.yaml'], { name: 'digits', problems: [] }],
  [['--version'], { version: '0.1.0' }],
  [['run', 'small.yaml', '--dry-run'], { status: 'planned' }],
  [['sweep', 'sweep.yaml', '--dry-run'], { status: 'planned' }],
]

test.each(answers)('zeroshift %j --json is exactly one object', async (args, answer) => {
  const { code, stdout } = await zeroshiftHere(directory, ...args, '--json')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\{.*\}\n$/)
  expect(JSON.parse(stdout)).toMatchObject(answer)
})
