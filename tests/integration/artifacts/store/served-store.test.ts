import { freePort } from '../../../../host/free-port.ts'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { FileStore } from '../../../../artifacts/store/file-store.ts'
import { S3Store } from '../../../../artifacts/store/s3-store.ts'
import { serverKeys, serverRecordPath, publishServer } from '../../../../artifacts/store/served-store.ts'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import { ensureVersitygw } from '../../../../infra/versitygw.mjs'
import { startS3Server, type S3Server } from '../../../../stack/s3-server.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { zeroshiftHere } from '../../../support/in-process.ts'
import { damageOf, makeStore } from '../../../support/made-store.ts'
import { s3Proxy } from '../../../support/s3-proxy.ts'
import { bytesOf, storeBehaviour, textOf } from '../../../support/store-behaviour.ts'

let home: string
let server: S3Server
let forget: () => void

beforeAll(async () => {
  home = fileDirectory()
  // These are settings of a user for another store.
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'of-another-server')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'of-another-server')
  vi.stubEnv('AWS_REGION', 'eu-west-1')
  vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1')
  vi.stubEnv('ZEROSHIFT_S3_SSE', 'aws:kms')
  const directory = join(home, 'store')
  server = await startS3Server({
    ...{ versitygw: await ensureVersitygw(), directory: home, bucket: 'store', port: await freePort() },
    ...{ credentials: serverKeys(directory), log: join(home, 's3.log') },
  })
  forget = publishServer(directory, server.endpoint)
})
afterAll(async () => {
  await server.stop()
  vi.unstubAllEnvs()
})

describe('a directory that an S3 server serves', () => {
  storeBehaviour(() => {
    const directory = join(home, 'store')
    for (const entry of readdirSync(directory)) rmSync(join(directory, entry), { recursive: true })
    return openStore(directory)
  }, 20_000_000)

  test('is the same store under the same URL, through the server while it runs and without it', async () => {
    const directory = join(home, 'store')
    const plain = new FileStore(directory)
    await plain.put('a/before', bytesOf('before'))

    const served = openStore(directory)
    expect(served).toBeInstanceOf(S3Store)
    expect(served.url).toBe(plain.url)
    expect(served.locate('a/b')).toBe(pathToFileURL(join(directory, 'a/b')).href)
    expect(textOf(await served.get('a/before'))).toBe('before')
    expect(await served.putIfAbsent('a/during', bytesOf('during'))).toBe(true)
    expect(await served.putIfAbsent('a/during', bytesOf('twice'))).toBe(false)

    forget()
    const after = openStore(directory)
    expect(after).toBeInstanceOf(FileStore)
    expect((await after.list('a/')).map(({ path }) => path)).toEqual(['a/before', 'a/during'])
    expect(textOf(await after.get('a/during'))).toBe('during')
    expect(await after.putIfAbsent('a/during', bytesOf('twice'))).toBe(false)
    forget = publishServer(directory, server.endpoint)
  })

  test('is copied to through the server', async () => {
    const directory = join(home, 'store')
    const made = new FileStore(join(home, 'made'))
    await makeStore(made, { runs: [0] })
    let puts = 0
    const proxy = await s3Proxy(server.endpoint, ({ method }) => {
      puts += method === 'PUT' ? 1 : 0
      return {}
    })
    forget()
    forget = publishServer(directory, proxy.url)
    try {
      const before = (await made.list('')).length
      const { code } = await zeroshiftHere(home, 'store', 'copy', 'made', 'store')
      expect(code).toBe(0)
      expect(puts).toBeGreaterThanOrEqual(before)
    } finally {
      forget()
      forget = publishServer(directory, server.endpoint)
      await proxy.close()
    }
    expect(await damageOf(new FileStore(directory))).toEqual([])
  })

  test('is a directory again when the process of its server is gone', () => {
    const path = serverRecordPath(join(home, 'store'))
    const note = readFileSync(path, 'utf8')
    const { server: noted, ...keys } = JSON.parse(note) as { readonly server: object }
    writeFileSync(path, JSON.stringify({ ...keys, server: { ...noted, pid: 2 ** 30 } }))
    expect(openStore(join(home, 'store'))).toBeInstanceOf(FileStore)
    writeFileSync(path, note)
  })

  test('is not the one beside it', () => {
    expect(openStore(join(home, 'store-2'))).toBeInstanceOf(FileStore)
  })

  test('has keys that only their owner can read, made once', () => {
    const directory = join(home, 'store')
    expect(statSync(serverRecordPath(directory)).mode & 0o777).toBe(0o600)
    const keys = serverKeys(directory)
    forget()
    expect(serverKeys(directory)).toEqual(keys)
    expect(readFileSync(serverRecordPath(directory), 'utf8')).not.toContain('endpoint')
    forget = publishServer(directory, server.endpoint)
  })
})
