import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { openArtifacts } from '../../../../artifacts/artifacts.ts'
import { testDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { makeStore, madeRuns } from '../../../support/made-store.ts'

const id = madeRuns[0]?.id ?? ''
let directory: string
beforeEach(async () => {
  directory = testDirectory()
  const { store } = openArtifacts(join(directory, '.zeroshift/store'))
  await makeStore(store, { runs: [0], own: [0] })
})
const zeroshift = (...args: readonly string[]) => zeroshiftHere(directory, ...args)
const read = (...path: readonly string[]) => readFileSync(join(directory, ...path), 'utf8')

test('a copy of a report without outcomes lacks this file alone, also where there was one', async () => {
  for (const args of [
    ['whole', 'report'],
    ['copy', 'report'],
    ['copy', 'report', '--without-outcomes'],
  ] as const) {
    const [out, command, ...options] = args
    const { code, stderr } = await zeroshift(command, id, '--out', out, ...options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(existsSync(join(directory, out, 'outcomes.json'))).toBe(options.length === 0)
  }
  const files = readdirSync(join(directory, 'whole')).filter((name) => name !== 'outcomes.json')
  expect(readdirSync(join(directory, 'copy')).sort()).toEqual(files.sort())
  for (const name of files) expect(read('copy', name), name).toBe(read('whole', name))
})

test('the report in the store keeps its outcomes', async () => {
  const { code, stderr } = await zeroshift('report', id, '--without-outcomes')
  expect(code).toBe(2)
  expect(stderr).toContain('expected --out, which names the folder of a copy')
})
