import { randomBytes } from 'node:crypto'
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { UserError } from '../../../common/errors.ts'
import { localDirectory } from '../../../sources/local-directory.ts'
import type { Wanted } from '../../../sources/wanted.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { gitSha1, hubServer } from '../../support/hub.ts'

const first = '1'.repeat(40)
const second = '2'.repeat(40)
const weights = randomBytes(200_000)
const config = Buffer.from('{"hidden_size": 8}')
const files = [
  { path: 'config.json', content: config },
  { path: 'model.safetensors', content: weights, isLarge: true },
  { path: 'folder/copy of config.json', content: config },
  { path: 'README.md', content: Buffer.from('# A model') },
]

let folder: string
let hub: Awaited<ReturnType<typeof hubServer>>
const lines: string[] = []
beforeEach(async () => {
  folder = testDirectory()
  hub = await hubServer('owner/name')
  hub.publish('main', first, files)
  for (const name of [
    'HF_HUB_CACHE',
    'HUGGINGFACE_HUB_CACHE',
    'HF_TOKEN',
    'HF_TOKEN_PATH',
    'HF_HUB_OFFLINE',
    'TRANSFORMERS_OFFLINE',
  ])
    vi.stubEnv(name, undefined)
  vi.stubEnv('NO_PROXY', '127.0.0.1')
  vi.stubEnv('ZEROSHIFT_CACHE', join(folder, 'zeroshift'))
  vi.stubEnv('HF_HOME', join(folder, 'hf'))
  vi.stubEnv('HF_ENDPOINT', hub.url)
  lines.length = 0
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await hub.close()
})

const notMarkdown: Wanted = { files: (name) => !name.endsWith('.md') }
const get = (source: string, wanted = notMarkdown) =>
  localDirectory(source, wanted, { notify: (line) => lines.push(line) })
const storage = (kind = 'models') => join(folder, `hf/hub/${kind}--owner--name`)
const asked = () => [...hub.api.requests, ...hub.storage.requests].map(({ path }) => path)

test('a branch is resolved to its commit, whose wanted files come into the cache as the Python library lays it out', async () => {
  const { directory, revision } = await get('hf://owner/name')
  expect(revision).toBe(first)
  expect(directory).toBe(join(storage(), 'snapshots', first))
  expect((await readdir(directory)).sort()).toEqual(['config.json', 'folder', 'model.safetensors'])
  expect(await readFile(join(directory, 'model.safetensors'))).toEqual(weights)
  expect(await readFile(join(directory, 'folder/copy of config.json'))).toEqual(config)
  expect(await readlink(join(directory, 'model.safetensors'))).toBe(`../../blobs/${sha256(weights)}`)
  expect(await readlink(join(directory, 'folder/copy of config.json'))).toBe(
    `../../../blobs/${gitSha1(config)}`,
  )
  expect((await readdir(join(storage(), 'blobs'))).sort()).toEqual([gitSha1(config), sha256(weights)].sort())
  expect(await readFile(join(storage(), 'refs/main'), 'utf8')).toBe(first)
  expect(lines).toEqual([expect.stringMatching(/^downloading hf:\/\/owner\/name@main \(3 files, 1 MB\)/)])
})

test('of a commit that is here nothing is asked, of a branch only what it names now', async () => {
  await get('hf://owner/name')
  const before = hub.api.requests.length
  await get(`hf://owner/name@${first}`)
  expect(hub.api.requests).toHaveLength(before)
  expect((await get('hf://owner/name@main')).revision).toBe(first)
  const since = hub.api.requests.slice(before).map(({ path }) => path.split('?')[0])
  expect(since).toEqual(['/api/models/owner/name/revision/main'])
  hub.publish('main', second, files)
  expect((await get('hf://owner/name@main')).revision).toBe(second)
  // The blobs are the same ones.
  expect(hub.storage.requests).toHaveLength(1)
})

test('a folder, or a file, of a data set', async () => {
  const own = await hubServer('owner/name', 'datasets')
  vi.stubEnv('HF_ENDPOINT', own.url)
  own.publish('refs/convert/parquet', first, [
    { path: 'plain/train-0.parquet', content: weights, isLarge: true },
    { path: 'plain/test-0.parquet', content: config },
    { path: 'other/a', content: config },
  ])
  const seen: string[] = []
  const wanted = { files: (name: string) => Boolean(seen.push(name)) }
  const { directory } = await get('hf://datasets/owner/name@refs/convert/parquet/plain', wanted)
  expect(directory).toBe(join(storage('datasets'), 'snapshots', first, 'plain'))
  expect((await readdir(directory)).sort()).toEqual(['test-0.parquet', 'train-0.parquet'])
  expect(new Set(seen)).toEqual(new Set(['train-0.parquet', 'test-0.parquet']))
  const one = await get(`hf://datasets/owner/name@${first}/other/a`, wanted)
  expect(one.directory).toBe(join(storage('datasets'), 'snapshots', first, 'other'))
  expect(await readFile(join(one.directory, 'a'))).toEqual(config)
  await own.close()
})

test('what the Python library has downloaded is used, and what is damaged comes again', async () => {
  const snapshot = join(storage(), 'snapshots', first)
  await mkdir(join(storage(), 'blobs'), { recursive: true })
  await mkdir(snapshot, { recursive: true })
  await writeFile(join(storage(), 'blobs', sha256(weights)), weights)
  await symlink(`../../blobs/${sha256(weights)}`, join(snapshot, 'model.safetensors'))
  await writeFile(join(storage(), 'blobs', gitSha1(config)), '{"hidden_size": 9}')
  await symlink(`../../blobs/${gitSha1(config)}`, join(snapshot, 'config.json'))
  const { directory } = await get(`hf://owner/name@${first}`)
  expect(hub.storage.requests).toHaveLength(0)
  expect(await readFile(join(directory, 'config.json'))).toEqual(config)
  expect((await lstat(join(directory, 'config.json'))).isSymbolicLink()).toBe(true)
})

test('a download that broke off goes on from there, and the token stays with the hub', async () => {
  vi.stubEnv('HF_TOKEN', 'hf_secret')
  hub.storage.failing((_, number) => (number === 0 ? { cutAfter: 60_000 } : undefined))
  await get('hf://owner/name')
  expect(hub.storage.requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=60000-'])
  expect(new Set(hub.api.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set(['Bearer hf_secret']),
  )
  expect(hub.storage.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
})

test('the token is read where the Python library keeps it', async () => {
  await mkdir(join(folder, 'hf'))
  await writeFile(join(folder, 'hf/token'), 'hf_kept\n')
  await get('hf://owner/name')
  expect(hub.api.requests[0]?.headers.authorization).toBe('Bearer hf_kept')
})

test('other bytes than the hub lists are refused, and leave no file', async () => {
  hub.storage.files.set(`/${sha256(weights)}`, { content: randomBytes(weights.length) })
  const error = await errorOf(get('hf://owner/name'))
  expect(error).toBeInstanceOf(UserError)
  expect(error.message).toMatch(/model\.safetensors gave has the SHA-256 .*, expected .*: it was changed/)
  expect(await readdir(join(storage(), 'blobs'))).toEqual([gitSha1(config)])
})

test('a repository without any wanted file is a mistake', async () => {
  const error = await errorOf(get('hf://owner/name', { files: (name) => name.endsWith('.npz') }))
  expect(error).toBeInstanceOf(UserError)
  expect(error.message).toBe(
    'hf://owner/name@main holds none of the files that are wanted: it has config.json, model.safetensors, folder/copy of config.json, README.md',
  )
})

describe('what the hub refuses', () => {
  const at = '/api/models/owner/name/revision/main'
  test.each([
    [
      401,
      'RepoNotFound',
      undefined,
      /the hub answered 401: there is no such model, or it is private: check the name at http.*\/owner\/name, and set HF_TOKEN to a token/,
    ],
    [404, 'RevisionNotFound', undefined, /it has no revision "main"; check its branches and tags/],
    [
      403,
      'GatedRepo',
      'hf_mine',
      /access to it has to be granted first: accept its terms at http.*\/owner\/name, and use a token/,
    ],
    [403, undefined, undefined, /access to it has to be granted first/],
  ] as const)('%i %s', async (status, code, token, message) => {
    vi.stubEnv('HF_TOKEN', token)
    hub.api.failing((served) =>
      served.path.startsWith(at)
        ? { status, headers: code === undefined ? {} : { 'x-error-code': code } }
        : hub.answering(served, 0),
    )
    const error = await errorOf(get('hf://owner/name'))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(message)
    expect(error.message).not.toContain('hf_mine')
  })
})

describe('without a network', () => {
  test('what a branch last named is used, with a notice', async () => {
    const before = await get('hf://owner/name')
    await hub.close()
    lines.length = 0
    expect(await get('hf://owner/name')).toEqual(before)
    expect(lines).toEqual([
      expect.stringMatching(
        /does not answer: .*; hf:\/\/owner\/name@main is used as it was when last seen \(1{40}\)$/,
      ),
    ])
    hub = await hubServer('owner/name')
  })

  test('what was never seen is the world’s error that says what to do', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1')
    for (const source of ['hf://owner/name', `hf://owner/name@${first}`]) {
      const error = await errorOf(get(source))
      expect(error).not.toBeInstanceOf(UserError)
      expect(error.message).toMatch(
        /is not in the cache .*hub, and http:\/\/127\.0\.0\.1:1 does not answer.*; try again, or download it on a machine that reaches the hub, and name the directory/,
      )
    }
  })

  test('HF_HUB_OFFLINE asks nothing: the cache, or a mistake', async () => {
    await get('hf://owner/name')
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    const before = asked().length
    expect((await get('hf://owner/name')).revision).toBe(first)
    const error = await errorOf(get(`hf://owner/name@${second}`))
    expect(error).toBeInstanceOf(UserError)
    expect(error.message).toMatch(
      /is not in the cache .*, and HF_HUB_OFFLINE is set; download it on a machine/,
    )
    const more = await errorOf(get('hf://owner/name', { files: (name) => name === 'README.md' }))
    expect(more).toBeInstanceOf(UserError)
    expect(asked()).toHaveLength(before)
  })

  test('what the Python library left is used as it is, with a notice', async () => {
    const snapshot = join(storage(), 'snapshots', first)
    await mkdir(snapshot, { recursive: true })
    await writeFile(join(snapshot, 'config.json'), config)
    vi.stubEnv('HF_HUB_OFFLINE', '1')
    expect((await get(`hf://owner/name@${first}`)).directory).toBe(snapshot)
    expect(lines).toEqual([
      expect.stringMatching(/is used as it is in the cache: 1 files, which could not be compared/),
    ])
  })
})
