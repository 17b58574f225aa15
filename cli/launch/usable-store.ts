import { randomUUID } from 'node:crypto'
import { mkdtemp, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeFolder } from '../../artifacts/make-folder.ts'
import { readFormat, refuseLaterFormat } from '../../artifacts/store-format.ts'
import { openStore, type ObjectStore } from '../../artifacts/store.ts'
import { unwritable } from '../../artifacts/unwritable.ts'
import { UserError } from '../../common/errors.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import { PROBES } from '../doctor/check-place.ts'
import { whereOf } from '../output/print.ts'

/** Refuses a cache that tools and data cannot be kept in. Throws a UserError. */
export async function refuseUnusableCache(): Promise<void> {
  const directory = cacheDirectory()
  await makeFolder(directory).catch((error: unknown) => {
    throw new UserError(
      `the cache ${directory} cannot be used: ${unwritable(error)}; name another directory as ZEROSHIFT_CACHE`,
    )
  })
}

/**
 * Refuses a store that nothing can be written to, or whose format cannot be read, before anything is
 * begun: a stage would try again and again for as long as the store stays as it is. Throws a
 * UserError.
 */
export async function refuseUnusable(url: string): Promise<void> {
  await trying(url, async (store) => void (await readFormat(store)))
  await refuseUnwritable(url)
}

/** The same of a store that may be damaged in its format. */
export async function refuseUnwritable(url: string): Promise<void> {
  await trying(url, async (store) => {
    await refuseLaterFormat(store)
    const path = `${PROBES}${randomUUID()}`
    await store.putIfAbsent(path, new TextEncoder().encode('probe'))
    await store.delete(path)
  })
}

/**
 * The same before anything else is checked, so that nothing is left of a store in a directory: a
 * folder is made where the store, or what is missing above it, would be, and removed. Throws a
 * UserError.
 */
export async function refuseUnusableInAdvance(url: string): Promise<void> {
  if (!url.startsWith('file://')) return refuseUnusable(url)
  await trying(url, async (store) => {
    await readFormat(store)
    await rmdir(await mkdtemp(join(await nearest(fileURLToPath(url)), '.probe-')))
  })
}

/** What is there of a path. */
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
      `the store ${whereOf(url)} cannot be written to: ${unwritable(error)}; make it so, or name another with --store`,
    )
  }
}
