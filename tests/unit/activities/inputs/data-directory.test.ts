import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { findDataDirectory } from '../../../../activities/inputs/data-directory.ts'
import { sha256 } from '../../../../common/canonical.ts'
import { UserError } from '../../../../common/errors.ts'
import type { PublishedFile } from '../../../../datasets/dataset.ts'
import { testDirectory } from '../../../support/directories.ts'
import { errorOf } from '../../../support/errors.ts'
import { fileServer } from '../../../support/file-server.ts'

const digits = { name: 'digits' as const, test: 0.3, validation: 0 }
const cifar = (train: string[], test: string[]) => ({ name: 'cifar10' as const, train, test, validation: 0 })
const official = cifar(['data_batch_1.bin'], ['test_batch.bin'])
const shipped = join(import.meta.dirname, '../../../../data/digits')

/** In place of CIFAR-10's publisher. */
const published = vi.hoisted(() => ({ files: [] as PublishedFile[] }))
vi.mock('../../../../datasets/index.ts', async (original) => {
  const own = await original<typeof import('../../../../datasets/index.ts')>()
  return {
    ...own,
    defaultLocationOf: async (spec: Parameters<typeof own.defaultLocationOf>[0]) => {
      const home = await own.defaultLocationOf(spec)
      return home.kind === 'published' && published.files.length > 0 ? { ...home, ...published } : home
    },
  }
})

let folder: string
beforeEach(() => {
  folder = testDirectory()
  vi.stubEnv('ZEROSHIFT_DATA', '')
  vi.stubEnv('ZEROSHIFT_CACHE', folder)
  vi.stubEnv('NO_PROXY', '127.0.0.1')
})
afterEach(() => {
  vi.unstubAllEnvs()
  published.files = []
})

describe('where the files are', () => {
  test('in the directory that the settings name', async () => {
    expect(await findDataDirectory(digits, { dataDirectory: folder })).toBe(folder)
    const error = await errorOf(findDataDirectory(digits, { dataDirectory: join(folder, 'no') }))
    expect((error as UserError).problems).toEqual([
      {
        path: 'dataDirectory',
        message: `dataDirectory: there is no directory ${join(folder, 'no')}; expected the one that holds digits's files`,
      },
    ])
  })

  test('or elsewhere, where the settings say so', async () => {
    const server = await fileServer(new Map([['/digits.csv.gz', { content: Buffer.from('1,2') }]]))
    const source = `${server.url}/digits.csv.gz#sha256=${sha256('1,2')}`
    const directory = await findDataDirectory(digits, { dataDirectory: source })
    expect(await readFile(join(directory, 'digits.csv.gz'), 'utf8')).toBe('1,2')
    const error = await errorOf(findDataDirectory(digits, { dataDirectory: 'ftp://host/a' }))
    expect((error as UserError).problems).toMatchObject([
      {
        path: 'dataDirectory',
        message: expect.stringMatching(/^dataDirectory: "ftp:\/\/host\/a" is of an unknown kind/) as string,
      },
    ])
    await server.close()
  })

  test('else under ZEROSHIFT_DATA, where it holds the data set', async () => {
    await mkdir(join(folder, 'cifar10'))
    vi.stubEnv('ZEROSHIFT_DATA', folder)
    expect(await findDataDirectory(official, {})).toBe(join(folder, 'cifar10'))
    expect(await findDataDirectory(digits, {})).toBe(shipped)
  })

  test('else in the cache, where somebody has put them', async () => {
    await mkdir(join(folder, 'data/cifar10'), { recursive: true })
    expect(await findDataDirectory(official, {})).toBe(join(folder, 'data/cifar10'))
  })

  test('files that are not official cannot be downloaded', async () => {
    const error = await errorOf(findDataDirectory(cifar(['data_batch_1.bin'], ['mine.bin']), {}))
    expect((error as UserError).problems).toMatchObject([
      {
        path: 'data.test[0]',
        message: expect.stringMatching(/^"mine\.bin" is not a file of the official/) as string,
      },
    ])
    expect(await readdir(folder)).toEqual([])
  })
})

describe('the publisher’s archive', () => {
  let server: Awaited<ReturnType<typeof fileServer>>
  let archive: Buffer
  beforeEach(async () => {
    const source = join(folder, 'source')
    await mkdir(join(source, 'cifar-10-batches-bin'), { recursive: true })
    await writeFile(join(source, 'cifar-10-batches-bin/data_batch_1.bin'), 'records')
    execFileSync('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', source, 'cifar-10-batches-bin'])
    archive = await readFile(join(folder, 'a.tar.gz'))
    server = await fileServer(new Map([['/a.tar.gz', { content: archive }]]))
    published.files = [{ url: `${server.url}/a.tar.gz`, bytes: archive.length, sha256: sha256(archive) }]
  })
  afterEach(() => server.close())

  test('is downloaded once, and its folder is the directory', async () => {
    const lines: string[] = []
    const directory = await findDataDirectory(official, {}, (line) => lines.push(line))
    expect(await readdir(directory)).toEqual(['data_batch_1.bin'])
    expect(await findDataDirectory(official, {})).toBe(directory)
    expect(server.requests).toHaveLength(1)
    expect(lines).toEqual([expect.stringMatching(/^downloading http:.*a\.tar\.gz \(1 MB\) into /)])
  })

  test.each([
    ['another checksum', { sha256: '0'.repeat(64) }, /has the SHA-256 [0-9a-f]{64}, expected 0{64}/, true],
    ['another length', { bytes: 10 }, /has \d+ bytes, expected 10: it is another file/, true],
    ['no such page', { url: '/b.tar.gz' }, /the server answered 404/, true],
    ['no network', { url: 'http://127.0.0.1:1/a.tar.gz' }, /does not answer: .*ECONNREFUSED/, false],
  ] as const)('%s: says where to put the files by hand', async (_, changed, message, isMistake) => {
    const url = 'url' in changed ? new URL(changed.url, server.url).href : undefined
    published.files = published.files.map((file) => ({
      ...file,
      ...changed,
      ...(url !== undefined && { url }),
    }))
    const error = await errorOf(findDataDirectory(official, {}))
    expect(error instanceof UserError).toBe(isMistake)
    expect(error.message).toMatch(message)
    expect(error.message).toMatch(
      /\. Put data_batch_1\.bin, .*\.bin into a directory and name it as dataDirectory in the config, or into .*data\/cifar10$/,
    )
  })
})
