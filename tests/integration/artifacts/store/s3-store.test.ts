import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { Artifacts } from '../../../../artifacts/artifacts.ts'
import { CorruptBlobError } from '../../../../artifacts/blobs/blob-errors.ts'
import { ReadCache } from '../../../../artifacts/blobs/read-cache.ts'
import { s3Client } from '../../../../artifacts/store/s3-client.ts'
import { s3Options } from '../../../../artifacts/store/s3-options.ts'
import { S3Store } from '../../../../artifacts/store/s3-store.ts'
import { openStore } from '../../../../artifacts/store/open-store.ts'
import { UserError } from '../../../../common/errors.ts'
import { artifactsBehaviour, pathOf } from '../../../support/artifacts-behaviour.ts'
import { processesOf } from '../../../support/command.ts'
import { fileDirectory } from '../../../support/directories.ts'
import { forFile } from '../../../support/release.ts'
import { s3Place, type TestS3 } from '../../../support/s3.ts'
import { s3Proxy, type AskedRequest, type Fault } from '../../../support/s3-proxy.ts'
import { bytesOf, pattern, storeBehaviour, textOf } from '../../../support/store-behaviour.ts'

/** Above it, an object takes several parts. */
const partBytes = 16 * 2 ** 20

let place: Awaited<ReturnType<typeof s3Place>>
beforeAll(async () => {
  place = await forFile(s3Place())
})

const emptyStore = () => openStore(`${place.url}/${randomUUID()}`)
const given = Boolean(process.env.ZEROSHIFT_TEST_S3_URL)

describe('a bucket', () => {
  storeBehaviour(emptyStore, partBytes)

  test('without a prefix, or with one, is where it says', async () => {
    const store = emptyStore()
    await store.put('a/b', bytesOf('x'))
    expect(store.locate('a/b')).toBe(`${store.url}/a/b`)
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(store.url) ?? []
    expect(textOf(await openStore(`s3://${bucket}`).get(`${prefix}/a/b`))).toBe('x')
    expect(textOf(await openStore(`s3://${bucket}/${prefix}/a`).get('b'))).toBe('x')
  })

  test('an upload whose process is killed leaves nothing that is seen', async () => {
    const store = emptyStore()
    const child = inChild(
      `const { openStore } = await import('./artifacts/store/open-store.ts')
       await openStore(process.argv[1]).put('large', new Uint8Array(${60 * partBytes}))
       console.log('done')`,
      { args: [store.url] },
    )
    const client = s3Client(s3Options())
    const [, Bucket = '', Prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(store.url) ?? []
    const underWay = async () => (await client.listMultipartUploads({ Bucket, Prefix })).Uploads ?? []
    while ((await underWay()).length === 0) expect(child.process.exitCode).toBeNull()
    child.process.kill('SIGKILL')
    expect((await child.ended).output).toBe('')
    const [left] = await underWay()
    expect(left?.Key).toBe(`${Prefix}/large`)
    expect(await store.list('')).toEqual([])
    expect(await store.get('large')).toBeUndefined()
    expect(await store.putIfAbsent('large', bytesOf('small'))).toBe(true)
    expect(textOf(await store.get('large'))).toBe('small')
    await client.abortMultipartUpload({ Bucket, Key: left?.Key, UploadId: left?.UploadId })
  })

  test('that is missing is the user’s error', async () => {
    const store = openStore(`s3://missing-${randomUUID()}/prefix`)
    for (const ask of [() => store.get('a'), () => store.put('a', bytesOf('x')), () => store.list('a/')]) {
      const asking = ask()
      await expect(asking).rejects.toThrow(UserError)
      await expect(asking).rejects.toThrow('there is no such bucket')
    }
  })

  test.each([
    ['a wrong secret', 4, { AWS_SECRET_ACCESS_KEY: 'planted-secret' }, 'AWS_SECRET_ACCESS_KEY'],
    // versitygw says of this in its answer to HEAD only that something was not found.
    ['an unknown key', 3, { AWS_ACCESS_KEY_ID: 'planted-secret' }, 'AWS_ACCESS_KEY_ID'],
    [
      'no credentials',
      4,
      {
        ...{
          AWS_ACCESS_KEY_ID: '',
          AWS_SECRET_ACCESS_KEY: '',
          AWS_EC2_METADATA_DISABLED: 'true',
          HOME: '/nowhere',
        },
        ...{ AWS_SHARED_CREDENTIALS_FILE: '/nowhere', AWS_CONFIG_FILE: '/nowhere', AWS_PROFILE: '' },
      },
      'no credentials were found',
    ],
  ])('with %s is the user’s error, which does not show it', async (_, asks, env, advice) => {
    const child = inChild(
      `const { openStore } = await import('./artifacts/store/open-store.ts')
       const { inspect } = await import('node:util')
       const store = openStore(process.argv[1])
       for (const ask of [() => store.get('a'), () => store.put('a', new Uint8Array(1)), () => store.list('a/'), () => store.size('a')].slice(0, Number(process.argv[2])))
         await ask().then(() => console.log('went through'), (error) => console.log(error.name, inspect(error, { depth: 9, showHidden: true })))`,
      { args: [place.url, String(asks)], env },
    )
    const { output } = await child.ended
    expect(output.match(/^UserError /gm), output).toHaveLength(asks)
    expect(output).not.toContain('went through')
    expect(output).toContain(advice)
    expect(output).not.toContain('planted-secret')
  })
})

describe('artifacts in a bucket', () => {
  const cached = fileDirectory()
  artifactsBehaviour(() => {
    const store = emptyStore()
    return new Artifacts(store, new ReadCache(join(cached, randomUUID()), 1e6, store.url))
  })
})

describe.skipIf(given)('the server', () => {
  const server = () => place.server as TestS3

  test('shows its secret to nobody', () => {
    expect(processesOf('versitygw')).not.toEqual([])
    expect(processesOf(server().credentials.secretAccessKey)).toEqual([])
  })

  test('a byte that flips on its disk is detected', async () => {
    const store = emptyStore()
    const artifacts = new Artifacts(store)
    const blob = await artifacts.putBlob(pattern(partBytes + 1000, 1))
    const file = join(server().directory, store.locate(pathOf(blob)).slice('s3://'.length))
    const bytes = readFileSync(file)
    bytes[partBytes + 5] = (bytes[partBytes + 5] ?? 0) ^ 1
    writeFileSync(file, bytes)
    await expect(artifacts.getBlob(blob)).rejects.toThrow(CorruptBlobError)
  })

  test('is read and written through its directory too', async () => {
    const store = emptyStore()
    const files = openStore(join(server().directory, store.url.slice('s3://'.length)))
    await files.put('by-file', bytesOf('plain'))
    expect(textOf(await store.get('by-file'))).toBe('plain')
    expect(await store.size('by-file')).toBe(5)
    await store.put('by-s3', bytesOf('object'))
    expect(textOf(await files.get('by-s3'))).toBe('object')
    expect(await files.putIfAbsent('by-s3', bytesOf('other'))).toBe(false)
    expect((await store.list('')).map(({ path }) => path)).toEqual(['by-file', 'by-s3'])
  })

  test('that is gone is the world’s error, and one that is back has everything', async () => {
    const store = emptyStore()
    await store.put('kept', bytesOf('kept'))
    await server().kill()
    const reading = store.get('kept')
    await expect(reading).rejects.toThrow(
      `cannot read ${store.locate('kept')}: ${server().endpoint} does not answer (ECONNREFUSED`,
    )
    await expect(reading).rejects.not.toThrow(UserError)
    await expect(reading).rejects.toThrow(/^[^\n]*$/)
    await server().start()
    expect(textOf(await store.get('kept'))).toBe('kept')
  })
})

describe.skipIf(given)('on an unreliable way to the server,', () => {
  async function through<T>(
    faultOf: (asked: AskedRequest) => Fault,
    work: (store: S3Store, asked: readonly AskedRequest[]) => Promise<T>,
  ): Promise<T> {
    const asked: AskedRequest[] = []
    const proxy = await s3Proxy((place.server as TestS3).endpoint, (request) => {
      asked.push(request)
      return faultOf(request)
    })
    try {
      const options = s3Options({ ...process.env, AWS_ENDPOINT_URL_S3: proxy.url })
      const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(place.url) ?? []
      return await work(new S3Store(bucket, `${prefix}/${randomUUID()}`, options), asked)
    } finally {
      await proxy.close()
    }
  }
  const unavailable: Fault = { answer: { status: 503, code: 'ServiceUnavailable' } }
  const conflict: Fault = { answer: { status: 409, code: 'ConditionalRequestConflict' } }
  const large = pattern(3 * partBytes + 5, 7)

  test('with a third of requests refused and all of them late, everything comes right', async () => {
    const faultOf = ({ number }: AskedRequest): Fault => ({
      delayMs: 20,
      ...(number % 3 === 1 && unavailable),
    })
    await through(faultOf, async (store, asked) => {
      await store.put('large', large)
      expect(large.equals((await store.get('large')) ?? new Uint8Array())).toBe(true)
      const wins = await Promise.all(
        Array.from({ length: 10 }, () => store.putIfAbsent('once', bytesOf('x'))),
      )
      expect(wins.filter(Boolean)).toHaveLength(1)
      const names = Array.from({ length: 30 }, (_, i) => `many/${i}`)
      await Promise.all(names.map((name) => store.put(name, bytesOf(name))))
      expect((await store.list('many/')).map(({ path }) => path)).toEqual([...names].sort())
      expect(asked.length).toBeGreaterThan(60)
    })
  })

  test.each(['small', 'large'])('a %s write whose answer was lost has still been won, once', async (size) => {
    let lost = 0
    // The request that decides, first time round.
    const faultOf = ({ method, url }: AskedRequest): Fault => {
      const decides = size === 'small' ? method === 'PUT' : method === 'POST' && url.includes('uploadId=')
      return decides && lost++ < 1 ? { lose: true } : {}
    }
    await through(faultOf, async (store) => {
      const bytes = size === 'small' ? pattern(100, 1) : large
      expect(await store.putIfAbsent('once', bytes)).toBe(true)
      expect(await store.putIfAbsent('once', bytes)).toBe(false)
      expect(bytes.equals((await store.get('once')) ?? new Uint8Array())).toBe(true)
      lost = 0
      await store.put('replaced', bytes)
      expect(await store.size('replaced')).toBe(bytes.length)
      expect(lost).toBeGreaterThan(1)
    })
  })

  test.each(['small', 'large'])('a conflict of %s conditional writes is tried again', async (size) => {
    let conflicts = 0
    const faultOf = ({ method, url }: AskedRequest): Fault => {
      const decides = size === 'small' ? method === 'PUT' : method === 'POST' && url.includes('uploadId=')
      return decides && conflicts++ < 2 ? conflict : {}
    }
    await through(faultOf, async (store) => {
      const bytes = size === 'small' ? pattern(100, 1) : large
      expect(await store.putIfAbsent('once', bytes)).toBe(true)
      expect(conflicts).toBe(3)
      expect(bytes.equals((await store.get('once')) ?? new Uint8Array())).toBe(true)
    })
  })

  test('a conflict that stays is the world’s error', async () => {
    await through(
      ({ method }) => (method === 'PUT' ? conflict : {}),
      async (store) => {
        const writing = store.putIfAbsent('once', bytesOf('x'))
        await expect(writing).rejects.toThrow(`cannot write 1 bytes to ${store.locate('once')}`)
        await expect(writing).rejects.toThrow('ConditionalRequestConflict')
        await expect(writing).rejects.not.toThrow(UserError)
      },
    )
  })

  test('a multipart upload that lost the race, or failed, keeps no parts', async () => {
    let refuses = false
    const faultOf = ({ method, url }: AskedRequest): Fault =>
      refuses && method === 'PUT' && url.includes('partNumber=2')
        ? { answer: { status: 403, code: 'AccessDenied' } }
        : {}
    await through(faultOf, async (store, asked) => {
      await store.put('once', bytesOf('first'))
      expect(await store.putIfAbsent('once', large)).toBe(false)
      refuses = true
      await expect(store.put('failed', large)).rejects.toThrow('access is denied')
      const ids = (method: string) =>
        new Set(
          asked
            .filter((request) => request.method === method)
            .flatMap(({ url }) => /uploadId=([^&]+)/.exec(url)?.[1] ?? []),
        )
      expect(ids('PUT').size).toBe(2)
      expect(ids('DELETE')).toEqual(ids('PUT'))
      expect((await store.list('')).map(({ path }) => path)).toEqual(['once'])
    })
  })

  test('answers that break off in the middle are asked for again', async () => {
    await through(
      ({ method, number }) => (method === 'GET' && number % 2 ? { cut: true } : {}),
      async (store) => {
        await store.put('large', large)
        await store.put('small', bytesOf('some text'))
        for (let i = 0; i < 3; i++) {
          expect(large.equals((await store.get('large')) ?? new Uint8Array())).toBe(true)
          expect(textOf(await store.get('small'))).toBe('some text')
        }
      },
    )
  })

  test('answers that always break off end in an error that says so', async () => {
    await through(
      ({ method }) => (method === 'GET' ? { cut: true } : {}),
      async (store) => {
        await store.put('small', bytesOf('some text'))
        await expect(store.get('small')).rejects.toThrow(
          new RegExp(`cannot read ${store.locate('small')} on .*: it broke off after . of 9 bytes`),
        )
      },
    )
  })

  test('a blob that was damaged on its way is read again', async () => {
    let reads = 0
    await through(
      ({ method }) => (method === 'GET' && reads++ === 0 ? { flip: true } : {}),
      async (store) => {
        const artifacts = new Artifacts(store)
        const blob = await artifacts.putBlob(pattern(1000, 1))
        expect(pattern(1000, 1).equals(await artifacts.getBlob(blob))).toBe(true)
        expect(reads).toBe(2)
      },
    )
  })

  test('a server that hangs is noticed', async () => {
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1')
    try {
      await through(
        () => ({ hang: true }),
        async (store) => {
          await expect(store.get('a')).rejects.toThrow('does not answer (TimeoutError')
        },
      )
    } finally {
      vi.unstubAllEnvs()
    }
  })
})

/** Runs code in a process of its own, with the store's settings in its environment. */
function inChild(
  code: string,
  { args, env = {} }: { args: readonly string[]; env?: Readonly<Record<string, string>> },
): { process: ChildProcess; ended: Promise<{ output: string }> } {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code, ...args], {
    cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (output += data.toString()))
  return { process: child, ended: once(child, 'close').then(() => ({ output })) }
}
