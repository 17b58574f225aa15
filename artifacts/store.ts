import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { UserError } from '../experiment/errors.ts'
import { FileStore } from './file-store.ts'

/**
 * Named bytes: what artifacts need of a store, and no more than an S3 bucket can do. Paths are relative, with forward
 * slashes.
 */
export interface ObjectStore {
  readonly url: string
  get(path: string): Promise<Uint8Array | undefined>
  /** Bytes of an object, without reading it. */
  size(path: string): Promise<number | undefined>
  /** Replaces what was there, whole or not at all. */
  put(path: string, bytes: Uint8Array): Promise<void>
  /** false: there was something already, and it stays. Of two writers exactly one gets true. */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>
  /** Paths below a prefix that ends in a slash, sorted. */
  list(prefix: string): Promise<readonly string[]>
  delete(path: string): Promise<void>
  /** Where a person finds an object. */
  locate(path: string): string
}

/** A store's URL: `file:///…` as it is, a directory relative to `base` as a file URL. */
export function storeUrl(location: string, base = process.cwd()): string {
  if (location.startsWith('file://')) {
    directoryOf(location)
    return location
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    throw new UserError(
      `the store "${location}" is of an unknown kind; expected a directory or a file:// URL`,
    )
  }
  return pathToFileURL(isAbsolute(location) ? location : resolve(base, location)).href
}

/** Throws a UserError where the location is not a directory or a file:// URL. */
export function openStore(location: string): ObjectStore {
  return new FileStore(directoryOf(storeUrl(location)))
}

function directoryOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UserError(
      `the store "${url}" names no directory of this machine (${reason}); expected file:/// and an absolute path`,
    )
  }
}
