import { randomUUID } from 'node:crypto'
import { mkdtemp, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from '../../common/make-folder.ts'
import { readFormat, refuseLaterFormat } from '../../artifacts/format/store-format.ts'
import { openStore } from '../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { unwritable } from '../../common/unwritable.ts'
import { UserError } from '../../common/errors.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { PROBES } from '../doctor/check-store.ts'
import { pathOrUrl } from '../output/print.ts'

/** Refuses a cache directory that cannot be written to. Throws a UserError. */
export async function refuseUnusableCache(): Promise<void> {
  const directory = cacheDirectory()
  await makeFolder(directory).catch((error: unknown) => {
    throw new UserError(
      `the cache ${directory} cannot be used: ${unwritable(error)}; name another directory as ZEROSHIFT_CACHE`,
    )
  })
}

/**
 * Refuses a store that cannot be written to, or whose format cannot be read, before any work
 * starts: otherwise a stage would retry for as long as the store stays like this. Throws a
 * UserError.
 */
export async function refuseUnusableStore(url: string): Promise<void> {
  await trying(url, async (store) => void (await readFormat(store)))
  await refuseUnwritableStore(url)
}

/** Refuses a store that cannot be written to. Its format may be damaged. Throws a UserError. */
export async function refuseUnwritableStore(url: string): Promise<void> {
  await trying(url, async (store) => {
    await refuseLaterFormat(store)
    const path = `${PROBES}${randomUUID()}`
    await store.putIfAbsent(path, new TextEncoder().encode('probe'))
    await store.delete(path)
  })
}

/**
 * Refuses an unusable store before anything else is checked, and leaves no part of a store in a
 * directory: it makes and removes a folder in the store, or in the nearest folder above it that
 * exists. Throws a UserError.
 */
export async function refuseUnusableStoreInAdvance(url: string): Promise<void> {
  if (!url.startsWith('file://')) return refuseUnusableStore(url)
  await trying(url, async (store) => {
    await readFormat(store)
    await rmdir(await mkdtemp(join(await nearest(fileURLToPath(url)), '.probe-')))
  })
}

/** Returns the path, or the nearest folder above it that exists. */
async function nearest(path: string): Promise<string> {
  try {
    await stat(path)
    return path
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    return nearest(parent)
  }
}

async function trying(url: string, f: (store: ObjectStore) => Promise<void>): Promise<void> {
  try {
    await f(openStore(url))
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      `the store ${pathOrUrl(url)} cannot be written to: ${unwritable(error)}; make it so, or name another with --store`,
    )
  }
}
