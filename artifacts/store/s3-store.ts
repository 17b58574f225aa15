import { randomUUID } from 'node:crypto'
import type { PutObjectCommandInput, S3 } from '@aws-sdk/client-s3'
import pRetry from 'p-retry'
import { sha256 } from '../../common/canonical.ts'
import { traffic } from './events.ts'
import { s3Error, s3Failure } from './s3-errors.ts'
import { s3Options, type S3Options } from './s3-options.ts'
import type { HashedBytes, ObjectStore, StoredObject } from './object-store.ts'
import { ThreadedHash } from './threaded-hash.ts'

/** The most bytes in one request. Larger objects are transferred in several parts in parallel. */
const PART_BYTES = 16 * 2 ** 20
const PARTS_AT_ONCE = 4
/** The most parts of an object that S3 allows. */
const MAX_PARTS = 10_000

/** The pauses, in milliseconds, between attempts that the SDK does not repeat itself. */
const backoff = { retries: 4, minTimeout: 100, maxTimeout: 5_000, randomize: true } as const
const retrying = (kind: new (message: string) => Error) => ({
  ...backoff,
  shouldRetry: ({ error }: { error: Error }) => error instanceof kind,
})

/**
 * A store in an S3 bucket below a prefix. Its settings come from the environment (`s3Options`).
 * Failed requests are repeated a few times. After that, the error is a UserError if the user has to
 * change something, and otherwise a plain Error.
 *
 * A process that is killed while it writes a large object leaves invisible parts. Only a rule of
 * the bucket can delete them (AbortIncompleteMultipartUpload).
 */
export class S3Store implements ObjectStore {
  readonly url: string
  private readonly bucket: string
  private readonly prefix: string
  private readonly options: S3Options
  private client: Promise<S3> | undefined

  /** @param prefix without slashes at its ends; empty for the whole bucket */
  constructor(bucket: string, prefix: string, options = s3Options()) {
    this.bucket = bucket
    this.prefix = prefix && `${prefix}/`
    this.options = options
    this.url = `s3://${bucket}${prefix && `/${prefix}`}`
  }

  async get(path: string): Promise<Uint8Array | undefined> {
    return (await this.getHashed(path))?.bytes
  }

  async getHashed(path: string): Promise<HashedBytes | undefined> {
    return this.request('read', path, (client, object) =>
      pRetry(() => unlessMissing(read(client, object)), retrying(ReplacedObject)),
    )
  }

  async size(path: string): Promise<number | undefined> {
    return this.request('read', path, async (client, object) => {
      try {
        return (await client.headObject(object)).ContentLength ?? 0
      } catch (error) {
        const { status } = s3Failure(error)
        if (status === 404) return undefined
        // The response to HEAD has no body that gives the reason of a refusal. That to GET has one.
        if (status === 400 || status === 403) {
          const { Body } = await client.getObject({ ...object, Range: 'bytes=0-0' })
          await Body?.transformToByteArray()
        }
        throw error
      }
    })
  }

  async put(path: string, bytes: Uint8Array): Promise<void> {
    await this.write(path, bytes, {})
  }

  async putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean> {
    return this.write(path, bytes, { IfNoneMatch: '*' })
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    return this.request('list', prefix, async (client, { Bucket, Key: Prefix }) => {
      const objects: StoredObject[] = []
      let ContinuationToken: string | undefined
      do {
        const page = await client.listObjectsV2({ Bucket, Prefix, ContinuationToken })
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? [])
          if (!Key.endsWith('/'))
            objects.push({
              path: Key.slice(this.prefix.length),
              bytes: Size,
              modified: LastModified?.getTime() ?? 0,
            })
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
      return objects.sort((a, b) => (a.path < b.path ? -1 : 1))
    })
  }

  async delete(path: string): Promise<void> {
    await this.request('delete', path, (client, object) => client.deleteObject(object))
  }

  locate(path: string): string {
    return `${this.url}/${path}`
  }

  private async write(path: string, bytes: Uint8Array, condition: { IfNoneMatch?: '*' }): Promise<boolean> {
    return this.request(`write ${bytes.length} bytes to`, path, (client, object) => {
      // Distinguishes the object of this write from that of another writer.
      const Metadata = { 'zeroshift-write': randomUUID() }
      const request = { ...object, ...condition, ...this.options.encryption, Metadata, Body: bytes }
      const attempt = async () => {
        try {
          await (bytes.length > PART_BYTES ? upload(client, request) : client.putObject(request))
          traffic.publish({ direction: 'written', bytes: bytes.length })
          return true
        } catch (error) {
          const { code, status } = s3Failure(error)
          // The object may exist because an earlier attempt wrote it and the response was lost.
          if (status !== 412 && code !== 'NoSuchUpload') throw error
          const standing = await unlessMissing(client.headObject(object))
          if (standing?.Metadata?.['zeroshift-write'] === Metadata['zeroshift-write']) return true
          if (status === 412) return false
          throw error
        }
      }
      return pRetry(attempt, {
        ...backoff,
        shouldRetry: ({ error }) => s3Failure(error).code === 'ConditionalRequestConflict',
      })
    })
  }

  /** Sends requests about an object, and turns their errors into errors of this project. */
  private async request<T>(
    verb: string,
    path: string,
    send: (client: S3, object: { Bucket: string; Key: string }) => Promise<T>,
  ): Promise<T> {
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new Error(`the path "${path}" leads out of the store ${this.url}`)
    try {
      // The SDK is loaded on first use, because loading it takes a tenth of a second.
      this.client ??= import('./s3-client.ts').then(({ s3Client }) => s3Client(this.options))
      return await send(await this.client, { Bucket: this.bucket, Key: this.prefix + path })
    } catch (error) {
      const { endpoint } = this.options
      const server = endpoint === undefined ? 'Amazon S3' : new URL(endpoint).origin
      throw s3Error(error, `${verb} ${this.locate(path)}`, server)
    }
  }
}

/** The connection ended before all bytes of a response arrived. */
class BrokenTransfer extends Error {
  override readonly name = 'BrokenTransfer'
}

/** The object was replaced while its parts were read. */
class ReplacedObject extends Error {
  override readonly name = 'ReplacedObject'
  override readonly message = 'it was replaced again and again while it was read'
}

interface ObjectName {
  readonly Bucket: string
  readonly Key: string
}

/**
 * Reads and hashes an object. The first part gives the size and the version (ETag). The other parts
 * of the same version are then read in parallel, and hashed in order while later ones arrive.
 */
async function read(client: S3, object: ObjectName): Promise<HashedBytes> {
  const first = await readPart(client, object)
  const { total, etag } = first
  if (first.bytes.length === total) return { bytes: first.bytes, sha256: sha256(first.bytes) }
  const bytes = Buffer.allocUnsafeSlow(total)
  bytes.set(first.bytes)
  const cancel = new AbortController()
  const hash = new ThreadedHash(PART_BYTES)
  const starts = Array.from({ length: Math.ceil(total / PART_BYTES) - 1 }, (_, i) => (i + 1) * PART_BYTES)
  const waiting = starts.values()
  const arrived = new Set([0])
  const reader = async () => {
    for (const start of waiting) {
      const into = bytes.subarray(start, start + PART_BYTES)
      await readPart(client, object, { start, into, total, etag, signal: cancel.signal })
      arrived.add(start)
      hashing = hashing.then(hashArrived)
    }
  }
  let hashed = 0
  const hashArrived = async () => {
    for (; arrived.has(hashed); hashed += PART_BYTES)
      await hash.update(bytes.subarray(hashed, hashed + PART_BYTES))
  }
  let hashing = hashArrived()
  const readers = Array.from({ length: PARTS_AT_ONCE }, reader)
  try {
    await Promise.all(readers)
    await hashing
    return { bytes, sha256: await hash.digest() }
  } catch (error) {
    cancel.abort()
    await Promise.allSettled([...readers, hashing])
    throw error
  } finally {
    await hash.close()
  }
}

interface Part {
  readonly start: number
  readonly into: Uint8Array
  readonly total: number
  readonly etag: string | undefined
  readonly signal: AbortSignal
}

function readPart(client: S3, object: ObjectName, part?: Part) {
  return pRetry(async () => {
    const { start = 0, etag, signal } = part ?? {}
    const Range = `bytes=${start}-${start + PART_BYTES - 1}`
    const answer = await client
      .getObject({ ...object, Range, IfMatch: etag }, { ...(signal && { abortSignal: signal }) })
      .catch((error: unknown) => {
        const { status } = s3Failure(error)
        if (part && (status === 412 || status === 416)) throw new ReplacedObject()
        // An empty object has no byte, so that the server refuses every range.
        if (status === 416) return client.getObject(object)
        throw error
      })
    const { ContentRange, ContentLength = 0, Body } = answer
    const total = ContentRange ? Number(ContentRange.split('/')[1]) : ContentLength
    if (part && part.total !== total) throw new ReplacedObject()
    const bytes = part?.into ?? Buffer.allocUnsafeSlow(ContentLength)
    await receive(Body as AsyncIterable<Uint8Array>, bytes)
    traffic.publish({ direction: 'read', bytes: bytes.length })
    return { bytes, total, etag: answer.ETag }
  }, retrying(BrokenTransfer))
}

async function receive(body: AsyncIterable<Uint8Array>, into: Uint8Array): Promise<void> {
  let at = 0
  try {
    for await (const chunk of body) {
      into.set(chunk, at)
      at += chunk.length
    }
  } catch (error) {
    throw new BrokenTransfer(`it broke off after ${at} of ${into.length} bytes (${s3Failure(error).message})`)
  }
  if (at !== into.length) throw new BrokenTransfer(`it ended after ${at} of ${into.length} bytes`)
}

async function upload(client: S3, params: PutObjectCommandInput & { Body: Uint8Array }): Promise<void> {
  const { Upload } = await import('@aws-sdk/lib-storage')
  const partSize = Math.max(PART_BYTES, Math.ceil(params.Body.length / MAX_PARTS))
  // The SDK aborts a failed upload, so that the server keeps none of its parts.
  await new Upload({ client, params, partSize, queueSize: PARTS_AT_ONCE }).done()
}

async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    // Other codes with the status 404 mean a missing bucket or, on some servers, an unknown user.
    if (['NoSuchKey', 'NotFound', '404'].includes(s3Failure(error).code)) return undefined
    throw error
  }
}
