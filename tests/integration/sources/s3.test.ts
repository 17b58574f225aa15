import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openStore } from '../../../artifacts/store/open-store.ts'
import { UserError } from '../../../common/errors.ts'
import { localDirectory } from '../../../sources/local-directory.ts'
import type { Wanted } from '../../../sources/wanted.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { forFile } from '../../support/release.ts'
import { type AskedRequest, type Fault, s3Proxy } from '../../support/s3-proxy.ts'
import { s3Server, type TestS3 } from '../../support/s3.ts'

let server: TestS3
let proxy: Awaited<ReturnType<typeof s3Proxy>>
let folder: string
let faultOf: (asked: AskedRequest) => Fault
const asked: AskedRequest[] = []
const lines: string[] = []

beforeAll(async () => {
  server = await forFile(s3Server())
  proxy = await s3Proxy(server.endpoint, (request) => {
    asked.push(request)
    return faultOf(request)
  })
})
afterAll(async () => {
  await proxy.close()
})
beforeEach(() => {
  folder = testDirectory()
  for (const [name, value] of Object.entries(server.env)) vi.stubEnv(name, value)
  vi.stubEnv('AWS_ENDPOINT_URL_S3', proxy.url)
  vi.stubEnv('ZEROSHIFT_CACHE', folder)
  faultOf = () => ({})
  asked.length = lines.length = 0
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const put = (prefix: string, files: Readonly<Record<string, Buffer>>) =>
  Promise.all(
    Object.entries(files).map(([name, content]) =>
      openStore(`s3://${server.bucket}/${prefix}`).put(name, content),
    ),
  )
const get = (prefix: string, wanted: Wanted = { files: () => true }) =>
  localDirectory(`s3://${server.bucket}/${prefix}`, wanted, { notify: (line) => lines.push(line) })
const reads = () => asked.filter(({ method, url }) => method === 'GET' && !url.includes('list-type')).length

test('the wanted objects below a prefix are downloaded once, and again when one has changed', async () => {
  const [one, two] = [randomBytes(3000), randomBytes(10)]
  await put('images', { 'cat/1.png': one, 'dog/2.png': two, 'notes.txt': two })
  await put('images-of-others', { '1.png': one })
  const wanted = { files: (name: string) => name.endsWith('.png') }
  const { directory, revision } = await get('images', wanted)
  expect(await readFile(join(directory, 'cat/1.png'))).toEqual(one)
  expect((await readdir(directory, { recursive: true })).sort()).toEqual([
    'cat',
    'cat/1.png',
    'dog',
    'dog/2.png',
  ])
  expect(reads()).toBe(2)
  expect(await get('images/', wanted)).toEqual({ directory, revision })
  expect(reads()).toBe(2)
  await put('images', { 'cat/1.png': two })
  const changed = await get('images', wanted)
  expect(changed.revision).not.toBe(revision)
  expect(await readFile(join(changed.directory, 'cat/1.png'))).toEqual(two)
})

test('one object', async () => {
  await put('weights', { 'model.safetensors': randomBytes(100), 'model.safetensors.bak': randomBytes(100) })
  const { directory } = await get('weights/model.safetensors')
  expect(await readdir(directory)).toEqual(['model.safetensors'])
})

test('what broke off goes on from there', async () => {
  const content = randomBytes(300_000)
  await put('large', { 'a.bin': content })
  let cut = false
  faultOf = ({ url }) => {
    if (cut || !url.includes('a.bin')) return {}
    cut = true
    return { cut: true }
  }
  const { directory } = await get('large')
  expect(await readFile(join(directory, 'a.bin'))).toEqual(content)
  expect(reads()).toBe(2)
})

test('one that is replaced meanwhile is the world’s error, and the next try reads the new one', async () => {
  await put('replaced', { 'a.bin': randomBytes(1000) })
  const content = randomBytes(1000)
  let replaced = false
  faultOf = ({ url, method }) => {
    if (replaced || method !== 'GET' || !url.includes('a.bin')) return {}
    replaced = true
    return { answer: { status: 412, code: 'PreconditionFailed' } }
  }
  const error = await errorOf(get('replaced'))
  expect(error).not.toBeInstanceOf(UserError)
  expect(error.message).toMatch(/a\.bin was replaced while it was read; try again/)
  await put('replaced', { 'a.bin': content })
  const { directory } = await get('replaced')
  expect(await readFile(join(directory, 'a.bin'))).toEqual(content)
})

test('a server that is away: what was last seen is used, with a notice', async () => {
  await put('kept', { 'a.bin': randomBytes(10) })
  const before = await get('kept')
  faultOf = () => ({ answer: { status: 503, code: 'SlowDown' } })
  vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
  expect(await get('kept')).toEqual(before)
  expect(lines.at(-1)).toMatch(
    /answered 503 .*; s3:\/\/zeroshift-test\/kept is used as it was when last seen$/,
  )
  const error = await errorOf(get('never-seen'))
  expect(error).not.toBeInstanceOf(UserError)
})

test('an empty prefix, a missing bucket and a wrong key are mistakes', async () => {
  expect((await errorOf(get('nothing'))).message).toMatch(
    /holds none of the files that are wanted: it is empty/,
  )
  const missing = await errorOf(localDirectory('s3://no-such-bucket/a', { files: () => true }))
  expect(missing).toBeInstanceOf(UserError)
  expect(missing.message).toMatch(/there is no such bucket; check its name/)
})

test('objects without an ETag are told apart by their keys and the times of their changes', async () => {
  const at = (name: string) => join(server.directory, server.bucket, name)
  const change = async (name: string, content: string, seconds: number) => {
    await writeFile(at(name), content)
    await utimes(at(name), seconds, seconds)
  }
  // Files that a person copied below the directory of the server.
  for (const model of ['one', 'two']) {
    await mkdir(at(model))
    await change(`${model}/model.bin`, model, 1e9)
  }
  const read = async (model: string) => readFile(join((await get(model)).directory, 'model.bin')).then(String)
  expect([await read('one'), await read('two')]).toEqual(['one', 'two'])
  await change('two/model.bin', 'new', 2e9)
  expect(await read('two')).toBe('new')
})
