import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheDirectory } from '../host/cache.mjs'

/** The folder that holds package.json. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * Returns whether Zeroshift was installed as an npm package, and is no checkout. npm has then
 * installed the packages that it needs, and its folder may be read-only.
 * @param {string} [root]
 * @returns {boolean}
 */
export function isInstalled(root = ROOT) {
  return existsSync(join(root, PACKED))
}

/** The file that the package contains and a checkout does not. */
export const PACKED = 'built/packed.json'

/**
 * Returns the name of the lock for work that changes this checkout, for `exclusively`.
 * @returns {string}
 */
export function checkoutLock() {
  return join(cacheDirectory(), `checkout-${createHash('sha256').update(ROOT).digest('hex').slice(0, 16)}`)
}
