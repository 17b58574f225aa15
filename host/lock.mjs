import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { clearInterval, setInterval } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './alive.mjs'
import { say } from '../infra/steps.mjs'

/** How often the holder renews the lock. */
const RENEW_MS = 2_000
/**
 * A lock that was not renewed for this long is stale, no matter on which machine its holder ran.
 */
const STALE_MS = 30_000

/**
 * Does some work while no other process does work with the same name.
 * @template T
 * @param {string} name a path; the lock is the file beside it that ends in `.lock`
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function exclusively(name, work) {
  const lock = `${name}.lock`
  for (let tries = 0; !(await acquire(lock)); tries++) {
    if (tries === 4) say(`waiting for another set-up that is doing the same (it holds ${lock})`)
    await sleep(250)
  }
  const renewal = setInterval(() => void utimes(lock, new Date(), new Date()).catch(() => {}), RENEW_MS)
  try {
    return await work()
  } finally {
    clearInterval(renewal)
    await rm(lock, { force: true })
  }
}

async function acquire(lock) {
  try {
    await writeFile(lock, `${hostname()} ${process.pid}`, { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (await isStale(lock)) await discard(lock)
    return false
  }
}

async function isStale(lock) {
  try {
    const [host, pid] = (await readFile(lock, 'utf8')).split(' ')
    if (host === hostname() && pid && !isAlive(Number(pid))) return true
    return Date.now() - (await stat(lock)).mtimeMs > STALE_MS
  } catch {
    return false
  }
}

/** Removes a stale lock. The rename makes sure that only one of several processes removes it. */
async function discard(lock) {
  const aside = `${lock}.${process.pid}`
  try {
    await rename(lock, aside)
    await rm(aside, { force: true })
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}
