import { randomUUID } from 'node:crypto'
import { chmod, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../common/canonical.ts'
import { makeFolder } from '../common/make-folder.ts'
import { cacheDirectory } from '../host/cache.mjs'

/**
 * Bundles of plug-ins on this machine, by their SHA-256. Those that a command of this user has
 * bundled are kept apart from those that a worker has fetched from a store, because only the former
 * are known to be this user's own.
 */
export type BundleOrigin = 'bundled' | 'fetched'

/** Writes a bundle, and returns the path of its file. */
export async function keepBundle(origin: BundleOrigin, bytes: Uint8Array): Promise<string> {
  const folder = folderOf(origin)
  await makeFolder(folder)
  // Nobody else may add a bundle that then counts as this user's own.
  await chmod(folder, 0o700)
  const file = fileOf(origin, sha256(bytes))
  const temporary = `${file}.${randomUUID()}`
  await writeFile(temporary, bytes, { mode: 0o600 })
  await rename(temporary, file)
  return file
}

/** The bytes of a bundle and the path of its file, verified. Undefined if the cache lacks it. */
export async function keptBundle(
  origin: BundleOrigin,
  digest: string,
): Promise<{ readonly file: string; readonly bytes: Uint8Array } | undefined> {
  const file = fileOf(origin, digest)
  const bytes = await readFile(file).catch(() => undefined)
  return bytes && sha256(bytes) === digest ? { file, bytes } : undefined
}

const folderOf = (origin: BundleOrigin) => join(cacheDirectory(), 'plugins', origin)
const fileOf = (origin: BundleOrigin, digest: string) => join(folderOf(origin), `${digest}.mjs`)
