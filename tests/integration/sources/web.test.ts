import { execFile, execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sha256 } from '../../../common/canonical.ts'
import { UserError } from '../../../common/errors.ts'
import { fromFiles, localDirectory } from '../../../sources/local-directory.ts'
import { testDirectory } from '../../support/directories.ts'
import { errorOf } from '../../support/errors.ts'
import { fileServer } from '../../support/file-server.ts'

let folder: string
let server: Awaited<ReturnType<typeof fileServer>>
const lines: string[] = []
const everything = { files: () => true }

beforeEach(async () => {
  folder = testDirectory()
  server = await fileServer()
  vi.stubEnv('NO_PROXY', '127.0.0.1')
  vi.stubEnv('ZEROSHIFT_CACHE', folder)
  lines.length = 0
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

const get = (source: string) => localDirectory(source, everything, { notify: (line) => lines.push(line) })

/** Puts the file on the server, and names it with its checksum. */
function serve(path: string, content: Buffer, etag?: string | null): string {
  server.files.set(path, { content, ...(etag !== undefined && { etag }) })
  return `${server.url}${path}#sha256=${sha256(content)}`
}

/** All that lies in the cache. */
const kept = async () =>
  (await readdir(folder, { recursive: true })).filter((path) => path.includes('.bin')).sort()

test('a directory is itself; one that is not there is a mistake', async () => {
  expect(await get(folder)).toEqual({ directory: folder })
  expect(await errorOf(get(join(folder, 'no')))).toMatchObject({
    name: 'UserError',
    message: `there is no directory ${join(folder, 'no')}`,
  })
})

test('a file is downloaded once', async () => {
  const content = randomBytes(300_000)
  const source = serve('/data/my%20images.npz', content)
  const { directory, revision } = await get(source)
  expect(revision).toBe(`sha256:${sha256(content)}`)
  expect(await readFile(join(directory, 'my images.npz'))).toEqual(content)
  expect(await get(source)).toEqual({ directory, revision })
  expect(server.requests).toHaveLength(1)
  expect(lines).toEqual([expect.stringMatching(/^downloading http:\/\/127\.0\.0\.1.*images\.npz into /)])
})

test('a URL without a checksum is refused before anything is asked', async () => {
  const { message } = await errorOf(get(`${server.url}/a.npz`))
  expect(message).toMatch(/comes without a checksum; expected its SHA-256 behind it, .*#sha256=…/)
  expect(server.requests).toHaveLength(0)
})

describe('what broke off', () => {
  test('at any byte goes on from there, and gives the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .uint8Array({ minLength: 20, maxLength: 5000 })
          .map((bytes) => Buffer.concat([bytes, randomBytes(8)])),
        fc.nat(),
        async (content, place) => {
          const cut = 1 + (place % (content.length - 1))
          const source = serve('/a.bin', content)
          await rm(join(folder, 'sources'), { recursive: true, force: true })
          server.requests.length = 0
          server.failing((_, number) => (number === 0 ? { cutAfter: cut } : undefined))
          const { directory } = await get(source)
          expect(await readFile(join(directory, 'a.bin'))).toEqual(content)
          expect(server.requests.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${cut}-`])
        },
      ),
      { numRuns: 12 },
    )
  })

  test('is gone on with by the next process', async () => {
    const content = randomBytes(100_000)
    const source = serve('/a.bin', content)
    // So long a pause is not waited for.
    server.failing((_, number) =>
      number === 0 ? { cutAfter: 40_000 } : { status: 429, headers: { 'retry-after': '600' } },
    )
    const error = await errorOf(get(source))
    expect(error).not.toBeInstanceOf(UserError)
    expect(error.message).toMatch(/could not be downloaded: the server answered 429; what has come is kept/)
    expect(await kept()).toEqual([
      expect.stringMatching(/a\.bin\.partial$/),
      expect.stringMatching(/a\.bin\.partial\.json$/),
    ])
    server.failing(() => undefined)
    const { directory } = await get(source)
    expect(await readFile(join(directory, 'a.bin'))).toEqual(content)
    expect(server.requests.at(-1)?.headers.range).toBe('bytes=40000-')
  })

  test.each([
    ['the tag tells', undefined, undefined],
    ['only the checksum tells', null, undefined],
    ['the server knows no ranges', undefined, { ignoreRange: true }],
    ['the server has nothing behind that place', undefined, { status: 416 }],
  ] as const)('begins anew where the content became another: %s', async (_, etag, fault) => {
    const [first, second] = [randomBytes(50_000), randomBytes(50_000)]
    server.files.set('/a.bin', { content: first, ...(etag !== undefined && { etag }) })
    server.failing((_, number) => {
      if (number === 0) return { cutAfter: 20_000 }
      server.files.set('/a.bin', { content: second, ...(etag !== undefined && { etag }) })
      return number === 1 ? fault : undefined
    })
    const { directory } = await get(`${server.url}/a.bin#sha256=${sha256(second)}`)
    expect(await readFile(join(directory, 'a.bin'))).toEqual(second)
  })
})

test('a busy server is asked again', async () => {
  const content = randomBytes(1000)
  const source = serve('/a.bin', content)
  server.failing(
    (_, number) =>
      [{ status: 500 }, { status: 429, headers: { 'retry-after': '1' } }, { status: 503 }][number],
  )
  const started = performance.now()
  const { directory } = await get(source)
  expect(performance.now() - started).toBeGreaterThan(1000)
  expect(await readFile(join(directory, 'a.bin'))).toEqual(content)
  expect(server.requests).toHaveLength(4)
})

test('one that never answers well is the world’s error', async () => {
  const source = serve('/a.bin', randomBytes(1000))
  server.failing(() => ({ status: 500 }))
  const error = await errorOf(get(source))
  expect(error).not.toBeInstanceOf(UserError)
  expect(error.message).toMatch(/^http.*a\.bin could not be downloaded: the server answered 500/)
})

test('no server is the world’s error', async () => {
  const source = serve('/a.bin', randomBytes(1000)).replace(/:\d+/, ':1')
  const error = await errorOf(get(source))
  expect(error).not.toBeInstanceOf(UserError)
  expect(error.message).toMatch(/http:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/)
})

test.each([
  ['another checksum', '0'.repeat(64), {}, /has the SHA-256 [0-9a-f]{64}, expected 0{64}: it was changed/],
  ['no such file', undefined, { status: 404 }, /the server answered 404; there is no such file/],
  ['a file for some', undefined, { status: 403 }, /the server answered 403; it wants credentials/],
  [
    'a redirect to this cloud',
    undefined,
    { status: 302, headers: { location: 'http://169.254.169.254/latest' } },
    /169\.254\.169\.254 is a link-local/,
  ],
  [
    'a redirect to where nothing is encrypted',
    undefined,
    { status: 302, headers: { location: 'http://host.invalid/' } },
    /is not encrypted/,
  ],
] as const)('%s is a mistake that leaves nothing', async (_, digest, fault, message) => {
  const source = serve('/a.bin', randomBytes(1000))
  server.failing(() => fault)
  const error = await errorOf(get(digest ? source.replace(/=.*/, `=${digest}`) : source))
  expect(error).toBeInstanceOf(UserError)
  expect(error.message).toMatch(message)
  expect(await readdir(join(folder, 'sources/web'))).toEqual([])
})

test('a redirect is followed', async () => {
  const source = serve('/a.bin', randomBytes(1000))
  server.failing(({ path }) =>
    path === '/a.bin' ? { status: 302, headers: { location: '/b.bin' } } : undefined,
  )
  server.files.set('/b.bin', server.files.get('/a.bin') ?? { content: Buffer.alloc(0) })
  expect(existsSync(join((await get(source)).directory, 'a.bin'))).toBe(true)
})

test('two processes at once download once', async () => {
  const content = randomBytes(1_000_000)
  const source = serve('/a.bin', content)
  server.failing(() => ({ pauseMs: 150 }))
  const child = () =>
    promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, '../../support/fetch-source.ts'), source],
      { env: process.env },
    )
  const [one, two] = await Promise.all([child(), child()])
  expect(one.stdout).toBe(two.stdout)
  expect(await readFile(join(one.stdout.trim(), 'a.bin'))).toEqual(content)
  expect(server.requests).toHaveLength(1)
})

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)(
  'a cache that may not be written to says so, and is tried again',
  async () => {
    const source = serve('/a.bin', randomBytes(1000))
    await chmod(folder, 0o500)
    const error = await errorOf(get(source))
    expect(error).not.toBeInstanceOf(UserError)
    expect(error.message).toMatch(
      /cannot keep files in .*: this user may not write there \(EACCES\); make room, or name another directory as ZEROSHIFT_CACHE/,
    )
    await chmod(folder, 0o700)
  },
)

test('a full disk says so, and is tried again', async () => {
  const source = serve('/a.bin', randomBytes(1_000_000))
  const incoming = join(folder, 'sources/web')
  await mkdir(incoming, { recursive: true })
  // The one device that is always full.
  const { cachedDirectory } = await import('../../../sources/host-cache.ts')
  const { download, openUrl } = await import('../../../sources/download.ts')
  const error = await errorOf(
    cachedDirectory(join(incoming, 'x'), async (directory) => {
      const to = join(directory, 'a.bin')
      await symlink('/dev/full', `${to}.partial`)
      await writeFile(`${to}.partial.json`, '{"identity":"x"}')
      const [url = ''] = source.split('#')
      await download(
        {
          name: url,
          identity: 'x',
          open: () => openUrl(url, 0, undefined).then((opened) => ({ ...opened, from: 1 })),
          verify: () => Promise.resolve(undefined),
        },
        to,
      )
      return directory
    }),
  )
  expect(error).not.toBeInstanceOf(UserError)
  expect(error.message).toMatch(
    /cannot keep files in .*: the disk is full \(ENOSPC\); make room, or name another directory as ZEROSHIFT_CACHE/,
  )
})

describe('an archive', () => {
  const tree = async (root: string, names: readonly string[]) => {
    for (const name of names) {
      await mkdir(join(root, name, '..'), { recursive: true })
      await writeFile(join(root, name), `content of ${name}`)
    }
  }
  const packed = async (name: string, names: readonly string[]) => {
    const root = await mkdtemp(join(folder, 'tree-'))
    await tree(root, names)
    const file = join(folder, `packed-${name}`)
    const [top = ''] = await readdir(root)
    const tops = (await readdir(root)).length > 1 ? await readdir(root) : [top]
    if (name.endsWith('.zip'))
      execFileSync('python3', ['-m', 'zipfile', '-c', file, ...tops.map((each) => join(root, each))])
    else execFileSync('tar', [name.endsWith('.tar') ? '-cf' : '-czf', file, '-C', root, ...tops])
    return serve(`/${name}`, await readFile(file))
  }

  test.each(['images.zip', 'images.tar', 'images.tar.gz', 'images.tgz'])(
    '%s is unpacked, without its outer folder',
    async (name) => {
      const source = await packed(name, ['images/cat/1.png', 'images/dog/2.png'])
      const { directory } = await get(source)
      expect(await readFile(join(directory, 'cat/1.png'), 'utf8')).toBe('content of images/cat/1.png')
      expect((await readdir(directory)).sort()).toEqual(['cat', 'dog'])
      expect(await readdir(join(folder, 'sources/web'))).toHaveLength(1)
    },
  )

  test('keeps a folder that says which part of the data it is', async () => {
    const { directory } = await get(await packed('a.tar.gz', ['train/cat/1.png', 'train/dog/2.png']))
    expect(await readdir(directory)).toEqual(['train'])
  })

  test('that is cut is a mistake', async () => {
    const source = await packed('a.tgz', ['images/cat/1.png'])
    const file = server.files.get('/a.tgz')
    const half = file?.content.subarray(0, file.content.length - 20) ?? Buffer.alloc(0)
    const error = await errorOf(get(serve('/a.tgz', half)))
    expect(error.message).toMatch(/a\.tgz: the archive cannot be unpacked: /)
    expect(error).toBeInstanceOf(UserError)
    expect(source).toContain('/a.tgz')
  })

  test('and other files lie in one directory', async () => {
    const one = (await packed('a.tar.gz', ['images/cat/1.png'])).split('#sha256=')
    const two = serve('/labels.csv', Buffer.from('a,b')).split('#sha256=')
    const files = [one, two].map(([url = '', sha256 = '']) => ({ url, sha256 }))
    const { directory } = await fromFiles(files)
    expect((await readdir(directory)).sort()).toEqual(['images', 'labels.csv'])
  })
})
