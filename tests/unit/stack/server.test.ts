import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { dynamicConfig } from '../../../stack/server.ts'
import { testDirectory } from '../../support/directories.ts'

let directory: string
let database: string
beforeEach(() => {
  directory = testDirectory()
  database = join(directory, 'temporal.db')
})

const taking = dynamicConfig()

test('runs take turns on a server in memory, and on a database that begins with it for as long as it is there', () => {
  expect(taking).toContain('matching.enableFairness=true')
  expect(dynamicConfig(database)).toEqual(taking)
  writeFileSync(database, 'runs')
  expect(dynamicConfig(database)).toEqual(taking)
})

test('a database from before finds what waits in its queues, as it was put there', () => {
  writeFileSync(database, 'runs')
  expect(dynamicConfig(database)).toEqual([])
})
