import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { acceptsConnections, freePort } from '../../../host/free-port.ts'
import { noteFinished, prepareDatabase } from '../../../stack/new-database.ts'
import { dynamicConfig, startServer } from '../../../stack/server.ts'
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

test('a database whose creation was interrupted is created again, and another one is kept', () => {
  prepareDatabase(database)
  for (const ending of ['', '-journal']) writeFileSync(`${database}${ending}`, 'half of it')
  // The first server was killed.
  prepareDatabase(database)
  expect(existsSync(database) || existsSync(`${database}-journal`)).toBe(false)

  writeFileSync(database, 'all of it')
  noteFinished(database)
  prepareDatabase(database)
  expect(existsSync(database)).toBe(true)
})

describe('a server that ends before it accepts connections', () => {
  /** A program that notes each of its starts, and listens on the port only from start `from` on. */
  const program = (from: number) => {
    const path = join(directory, 'program.mjs')
    writeFileSync(
      path,
      `#!${process.execPath}
       import { appendFileSync, readFileSync } from 'node:fs'
       import { createServer } from 'node:net'
       appendFileSync(${JSON.stringify(join(directory, 'starts'))}, 's')
       const starts = readFileSync(${JSON.stringify(join(directory, 'starts'))}, 'utf8').length
       const port = Number(process.argv[process.argv.indexOf('--port') + 1])
       if (starts >= ${from}) createServer().listen(port, '127.0.0.1')`,
    )
    chmodSync(path, 0o755)
    return path
  }
  const starts = () => readFileSync(join(directory, 'starts'), 'utf8').length
  const start = async (temporal: string) => {
    const port = await freePort()
    return { port, server: startServer({ temporal, port, database, log: join(directory, 'log') }) }
  }

  test('is started again, and keeps the database that it has created', async () => {
    const { port, server } = await start(program(3))
    await expect.poll(() => acceptsConnections(port), { timeout: 30_000 }).toBe(true)
    expect(starts()).toBe(3)
    await expect.poll(() => existsSync(`${database}.unfinished`)).toBe(false)
    await server.stop()
    await server.exited
    expect(starts()).toBe(3)
  })

  test('is not started a fourth time', async () => {
    const { server } = await start(program(4))
    await server.exited
    expect(starts()).toBe(3)
  })
})
