import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { freePort } from '../../../host/free-port.ts'
import { noteFinished, prepareDatabase } from '../../../stack/new-database.ts'
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

test('a database whose creation was interrupted is created again, and another one is kept', async () => {
  prepareDatabase(database)
  for (const ending of ['', '-journal']) writeFileSync(`${database}${ending}`, 'half of it')
  // The first server was killed.
  const port = await freePort()
  await noteFinished(database, port, Promise.resolve())
  prepareDatabase(database)
  expect(existsSync(database) || existsSync(`${database}-journal`)).toBe(false)

  writeFileSync(database, 'all of it')
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  await noteFinished(database, port, new Promise(() => undefined))
  server.close()
  prepareDatabase(database)
  expect(existsSync(database)).toBe(true)
})
