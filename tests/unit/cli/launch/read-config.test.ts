import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { smallConfig } from '../../../support/command.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'

let directory: string
beforeEach(() => {
  directory = testDirectory()
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  writeFileSync(
    join(directory, 'ranks.yaml'),
    'name: ranks\nbase: small.yaml\ngrid: { training.epochs: [1, 2] }\n',
  )
})

test.each([
  [
    ['run', 'ranks.yaml'],
    'ranks.yaml: this is the config of a sweep (it has `base` and no `methods`), expected that of an experiment; start it by ./zeroshift sweep ranks.yaml\n',
  ],
  [
    ['run', 'ranks.yaml', '--dry-run'],
    'ranks.yaml: this is the config of a sweep (it has `base` and no `methods`), expected that of an experiment; start it by ./zeroshift sweep ranks.yaml\n',
  ],
  [
    ['sweep', 'small.yaml'],
    'small.yaml: this is the config of an experiment (it has `methods` and no `base`), expected that of a sweep; start it by ./zeroshift run small.yaml\n',
  ],
])('%j is refused with the right command', async (args, message) => {
  expect(await zeroshiftHere(directory, ...args)).toEqual({ code: 2, stdout: '', stderr: message })
})
