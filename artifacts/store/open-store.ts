import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { withoutCredentials } from '../../common/credentials.ts'
import { UserError } from '../../common/errors.ts'
import { FileStore } from './file-store.ts'
import { S3Store } from './s3-store.ts'
import { servedStore } from './served-store.ts'

export interface StoredObject {
  readonly path: string
  readonly bytes: number
  /** Milliseconds since 1970, by the store's own clock. */
  readonly modified: number
}

export interface HashedBytes {
  readonly bytes: Uint8Array
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

/**
 * Named bytes: what artifacts need of a store, and no more than an S3 bucket can do. Paths are relative, with forward
 * slashes.
 */
export interface ObjectStore {
  readonly url: string
  get(path: string): Promise<Uint8Array | undefined>
  /** get, and the SHA-256 of what came. */
  getHashed(path: string): Promise<HashedBytes | undefined>
  /** Bytes of an object, without reading it. */
  size(path: string): Promise<number | undefined>
  /** Replaces what was there, whole or not at all. */
  put(path: string, bytes: Uint8Array): Promise<void>
  /** false: there was something already, and it stays. Of two writers exactly one gets true. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>
  /** Objects below a prefix that ends in a slash, sorted by path. */
  list(prefix: string): Promise<readonly StoredObject[]>
  delete(path: string): Promise<void>
  /** Where a person finds an object. */
  locate(path: string): string
}

/**
 * A store's URL: `file:///…` and `s3://bucket/prefix` as they are, a directory relative to `base` as a file URL. Throws a
 * UserError where it names none of these.
 */
export function storeUrl(location: string, base = process.cwd()): string {
  if (location.trim() === '')
    throw new UserError(
      'the store is empty text; expected a directory, a file:// URL or s3://bucket/prefix as --store, as store in the config, or in ' +
        'ZEROSHIFT_STORE',
    )
  if (location.startsWith('file://')) {
    directoryOf(location)
    return location
  }
  if (location.startsWith('s3://')) {
    const { bucket, prefix } = placeOf(location)
    return `s3://${bucket}${prefix && `/${prefix}`}`
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    throw new UserError(
      `the store "${withoutCredentials(location)}" is of an unknown kind; expected a directory, a file:// URL or s3://bucket/prefix`,
    )
  }
  return pathToFileURL(isAbsolute(location) ? location : resolve(base, location)).href
}

/** Other machines reach it, and reading from it takes a network. */
export function isRemote({ url }: ObjectStore): boolean {
  return url.startsWith('s3://')
}

/** Connects to nothing yet. Throws a UserError where the location, or the environment's settings for S3, are wrong. */
export function openStore(location: string): ObjectStore {
  const url = storeUrl(location)
  if (!url.startsWith('s3://')) {
    const directory = directoryOf(url)
    return servedStore(directory) ?? new FileStore(directory)
  }
  const { bucket, prefix } = placeOf(url)
  return new S3Store(bucket, prefix)
}

function placeOf(url: string): { readonly bucket: string; readonly prefix: string } {
  const [bucket = '', ...folders] = url.slice('s3://'.length).split('/')
  const shown = withoutCredentials(url)
  if (shown !== url)
    throw new UserError(
      `the store "${shown}" holds credentials; expected none there: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    )
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket))
    throw new UserError(
      `the store "${url}" names the bucket "${bucket}"; expected s3://bucket or s3://bucket/prefix, with 3 to 63 letters, digits, dots and dashes as the bucket's name`,
    )
  while (folders.at(-1) === '') folders.pop()
  const wrong = folders.find((folder) => ['', '.', '../..'].includes(folder) || /[?#\p{Cc}]/u.test(folder))
  if (wrong !== undefined)
    throw new UserError(`the store "${url}" has "${wrong}" in its prefix; expected names between slashes`)
  return { bucket, prefix: folders.join('/') }
}

function directoryOf(url: string): string {
  try {
    const directory = fileURLToPath(url)
    if (!directory.includes('\0')) return directory
    throw new Error('no name of a file has a NUL character')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError(
      `the store "${url}" names no directory of this machine (${reason}); expected file:/// and an absolute path`,
    )
  }
}
