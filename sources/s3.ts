import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3 } from '@aws-sdk/client-s3'
import { s3Error, s3Failure } from '../artifacts/store/s3-errors.ts'
import { s3Options } from '../artifacts/store/s3-options.ts'
import { digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { isSafeName } from '../common/safe-name.ts'
import { wrongChecksum, type Checksum } from './checksum.ts'
import { downloadAll, NothingToResume, type RemoteFile } from './download.ts'
import { cachedDirectory, cachePath, isDirectory, readRecord, writeRecord } from './host-cache.ts'
import { formatSource, type Source } from './source.ts'
import { type Located, refuseNoFiles, refuseTooMuch, type Wanted } from './wanted.ts'

type S3Source = Extract<Source, { kind: 's3' }>

/** An object below the prefix. */
interface Listed {
  readonly key: string
  /** Relative to the prefix. */
  readonly name: string
  readonly bytes: number
  /** Empty if the server gives none, such as for files that were copied below its directory. */
  readonly etag: string
  /** The key and the time of the last change, which identify the content if there is no ETag. */
  readonly changed: string
}

/**
 * Downloads the objects below a prefix, or one object. The names, sizes and ETags identify the
 * content, which is not downloaded twice. If the server does not answer, the content of the last
 * listing is used, with a notice.
 */
export async function fromS3(
  source: S3Source,
  wanted: Wanted,
  notify: (line: string) => void,
): Promise<Located> {
  const name = formatSource(source)
  const bucket = await openBucket(source.bucket)
  const record = cachePath('s3', `${digestOf({ name, server: bucket.server })}.json`)
  let listed: readonly Listed[]
  try {
    listed = await list(bucket, source)
    await writeRecord(record, { source: name, listed })
  } catch (error) {
    const kept = error instanceof UserError ? undefined : await readRecord(record)
    const located = isListing(kept) && placeOf(kept.listed, wanted)
    if (!located || !(await isDirectory(located.directory))) throw error
    notify(`${(error as Error).message}; ${name} is used as it was when last seen`)
    return located
  }
  const files = listed.filter((file) => wanted.files(file.name))
  refuseNoFiles(
    name,
    files,
    listed.map((file) => file.name),
  )
  const located = placeOf(listed, wanted)
  await cachedDirectory(located.directory, async (incoming) => {
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    refuseTooMuch(name, bytes, wanted)
    notify(`downloading ${name} (${files.length} files, ${Math.ceil(bytes / 1e6)} MB) into ${cachePath()}`)
    await downloadAll(
      files.map((file) => ({ file: remoteFile(bucket, file), to: join(incoming, 'files', file.name) })),
    )
    return join(incoming, 'files')
  })
  return located
}

function placeOf(listed: readonly Listed[], wanted: Wanted): Located & { readonly revision: string } {
  const content = listed
    .filter(({ name }) => wanted.files(name))
    .map(({ name, bytes, etag, changed }) => [name, bytes, etag || changed] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const revision = digestOf(content)
  return { directory: cachePath('s3', revision), revision: `etags:${revision}` }
}

function isListing(value: unknown): value is { readonly listed: readonly Listed[] } {
  return typeof value === 'object' && value !== null && 'listed' in value && Array.isArray(value.listed)
}

interface Bucket {
  readonly name: string
  readonly server: string
  /** Sends requests, and turns their errors into errors of this project. */
  asking<T>(what: string, ask: (client: S3) => Promise<T>): Promise<T>
}

async function openBucket(name: string): Promise<Bucket> {
  const options = s3Options()
  const server = options.endpoint === undefined ? 'Amazon S3' : new URL(options.endpoint).origin
  const { s3Client } = await import('../artifacts/store/s3-client.ts')
  const client = s3Client(options)
  return {
    name,
    server,
    async asking(what, ask) {
      try {
        return await ask(client)
      } catch (error) {
        if (error instanceof NothingToResume || error instanceof UserError) throw error
        throw ofReading(error, what, server) ?? s3Error(error, what, server)
      }
    },
  }
}

/** The error for a failed read. The advice for a store would also ask for write access. */
function ofReading(error: unknown, what: string, server: string): UserError | undefined {
  const { code, status } = s3Failure(error)
  if (code === 'NoSuchBucket')
    return new UserError(
      `cannot ${what} on ${server}: there is no such bucket; check its name and AWS_ENDPOINT_URL_S3`,
    )
  if (status === 403 && code === 'AccessDenied')
    return new UserError(
      `cannot ${what} on ${server}: access is denied; allow s3:GetObject and s3:ListBucket on the bucket, or use other credentials`,
    )
  return undefined
}

async function list(bucket: Bucket, { prefix }: S3Source): Promise<readonly Listed[]> {
  const below = prefix && `${prefix}/`
  const listed = await listBelow(bucket, below, below)
  if (listed.length > 0 || prefix === '') return listed
  // An object with exactly this name comes first among those whose names begin with it.
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  return (await listBelow(bucket, prefix, folder, 1)).filter(({ key }) => key === prefix)
}

async function listBelow(
  bucket: Bucket,
  Prefix: string,
  folder: string,
  most?: number,
): Promise<readonly Listed[]> {
  const where = `s3://${bucket.name}/${Prefix}`
  return bucket.asking(`list ${where}`, async (client) => {
    const listed: Listed[] = []
    let ContinuationToken: string | undefined
    do {
      const page = await client.listObjectsV2({
        Bucket: bucket.name,
        Prefix,
        ContinuationToken,
        MaxKeys: most,
      })
      for (const { Key: key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? []) {
        if (key.endsWith('/')) continue
        const name = key.slice(folder.length)
        if (!isSafeName(name))
          throw new UserError(`${where} holds "${key}", which is no name of a file here; expected none such`)
        const changed = `s3://${bucket.name}/${key} ${LastModified?.toISOString() ?? ''}`
        listed.push({ key, name, bytes: Size, etag: ETag, changed })
      }
      ContinuationToken = most === undefined ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
    return listed
  })
}

function remoteFile(bucket: Bucket, { key, bytes, etag, changed }: Listed): RemoteFile {
  const object = { Bucket: bucket.name, Key: key }
  const name = `s3://${bucket.name}/${key}`
  // The response for a whole object gives it. After a partial read, it has to be requested.
  let known: { readonly checksum: Checksum | undefined } | undefined
  return {
    name,
    identity: `${etag || changed} ${bytes}`,
    bytes,
    open: (from) =>
      bucket.asking(`read ${name}`, async (client) => {
        const answer = await client
          .getObject({
            ...object,
            ...(etag && { IfMatch: etag }),
            ...(from > 0 ? { Range: `bytes=${from}-` } : { ChecksumMode: 'ENABLED' }),
          })
          .catch((error: unknown) => {
            if (s3Failure(error).status === 412)
              throw new Error(`${name} was replaced while it was read; try again`)
            throw error
          })
        if (from === 0) known = { checksum: checksumIn(answer) }
        return { body: answer.Body as Readable, from, bytes, etag: answer.ETag }
      }),
    async verify(file) {
      known ??= {
        checksum: checksumIn(
          await bucket.asking(`read ${name}`, (client) =>
            client.headObject({ ...object, ChecksumMode: 'ENABLED' }),
          ),
        ),
      }
      return known.checksum && wrongChecksum(file, known.checksum)
    },
  }
}

/**
 * The checksum of the whole object, if it has one that Node can compute. An ETag is not used, since
 * it is not a checksum on every server.
 */
function checksumIn(answer: GetObjectCommandOutput | HeadObjectCommandOutput): Checksum | undefined {
  const { ChecksumType, ChecksumSHA256, ChecksumSHA1, ChecksumCRC32 } = answer
  const hexadecimal = (base64: string) => Buffer.from(base64, 'base64').toString('hex')
  // After an upload in parts, it is a checksum of the checksums, with a suffix such as "-4".
  const isWhole = (text: string | undefined): text is string =>
    text !== undefined && ChecksumType !== 'COMPOSITE' && !text.includes('-')
  if (isWhole(ChecksumSHA256)) return { kind: 'sha256', value: hexadecimal(ChecksumSHA256) }
  if (isWhole(ChecksumSHA1)) return { kind: 'sha1', value: hexadecimal(ChecksumSHA1) }
  if (isWhole(ChecksumCRC32)) return { kind: 'crc32', value: hexadecimal(ChecksumCRC32) }
  return undefined
}
