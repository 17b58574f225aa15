import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * Returns the directory for downloads, tools and copies of blobs, which all checkouts share.
 * @returns {string}
 */
export function cacheDirectory() {
  const { ZEROSHIFT_CACHE, XDG_CACHE_HOME } = process.env
  if (ZEROSHIFT_CACHE) return resolve(ZEROSHIFT_CACHE)
  return join(XDG_CACHE_HOME ? resolve(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'zeroshift')
}
