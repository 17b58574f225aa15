import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../host/cache.mjs'

/** The folder that holds package.json. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * Returns the name of the lock for work that changes this checkout, for `exclusively`.
 * @returns {string}
 */
export function checkoutLock() {
  return join(cacheDirectory(), `checkout-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`)
}
