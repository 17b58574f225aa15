import { randomUUID } from 'node:crypto'
import { makeFolder } from '../artifacts/make-folder.ts'
import { readFormat } from '../artifacts/store-format.ts'
import { openStore } from '../artifacts/store.ts'
import { unwritable } from '../artifacts/unwritable.ts'
import { UserError } from '../experiment/errors.ts'
import { cacheDirectory } from '../infra/cache.mjs'
import { PROBES } from './check-place.ts'
import { whereOf } from './print.ts'

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
 * Refuses a store that nothing can be written to, before anything is begun: a stage would try again
 * and again for as long as the store stays as it is. Throws a UserError.
 */
export async function refuseUnusable(url: string): Promise<void> {
  try {
    const store = openStore(url)
    const path = `${PROBES}${randomUUID()}`
    await store.putIfAbsent(path, new TextEncoder().encode('probe'))
    await store.delete(path)
    await readFormat(store)
  } catch (error) {
    if (error instanceof UserError) throw error
    throw new UserError(
      `the store ${whereOf(url)} cannot be written to: ${unwritable(error)}; make it so, or name another with --store`,
    )
  }
}
