import { randomUUID } from 'node:crypto'
import { chmod, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../common/canonical.ts'
import { makeFolder } from '../common/make-folder.ts'
import { cacheDirectory } from '../host/cache.mjs'

/**
 * Bundles of plug-ins on this machine, by their SHA-256. Those that a command of this user has
 * bundled are kept apart from those that a worker has fetched from a store, because only the former
 * are known to be this user's own. A bundle that nobody has used for 30 days is removed.
 */
export type BundleOrigin = 'bundled' | 'fetched'

const KEEP_MS = 30 * 86_400_000

/**
 * Writes a bundle, and returns the path of its file. Removes bundles that are not used any more.
 */
export async function keepBundle(origin: BundleOrigin, bytes: Uint8Array): Promise<string> {
  const folder = folderOf(origin)
  await makeFolder(folder)
  // Nobody else may add a bundle that then counts as this user's own.
  await chmod(folder, 0o700)
  const file = fileOf(origin, sha256(bytes))
  const temporary = `${file}.${randomUUID()}`
  await writeFile(temporary, bytes, { mode: 0o600 })
  await rename(temporary, file)
  await removeUnused(folder)
  return file
}

/**
 * The bytes of a bundle and the path of its file, verified. Undefined if the cache lacks it. This
 * counts as a use of the bundle.
 */
export async function keptBundle(
  origin: BundleOrigin,
  digest: string,
): Promise<{ readonly file: string; readonly bytes: Uint8Array } | undefined> {
  const file = fileOf(origin, digest)
  const bytes = await readFile(file).catch(() => undefined)
  if (!bytes || sha256(bytes) !== digest) return undefined
  const now = new Date()
  // In a cache that is read-only, no bundle is ever removed.
  await utimes(file, now, now).catch(() => undefined)
  return { file, bytes }
}

/** Another process may remove the same files. What cannot be removed stays. */
async function removeUnused(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    const found = await stat(file).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > KEEP_MS) await rm(file, { force: true }).catch(() => undefined)
  }
}

const folderOf = (origin: BundleOrigin) => join(cacheDirectory(), 'plugins', origin)
const fileOf = (origin: BundleOrigin, digest: string) => join(folderOf(origin), `${digest}.mjs`)
