import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openStore } from '../../artifacts/store/open-store.ts'
import type { ObjectStore } from '../../artifacts/store/object-store.ts'
import { cacheDirectory } from '../../host/cache.mjs'
import type { Check } from './doctor-check.ts'
import { pathOrUrl } from '../output/print.ts'

/**
 * Returns the checks of a store, of its clock against this machine's, and of the free disk space.
 */
export function storeChecks(url: string): readonly Check[] {
  /** The difference of the clocks, found by the first check for the second. */
  let skew: number | undefined
  return [
    {
      name: 'store',
      needed: true,
      remedy: url.startsWith('s3://')
        ? 'Check that the bucket is there, its region (AWS_REGION) and server (AWS_ENDPOINT_URL_S3), and that the credentials may get, put, list and delete objects in it.'
        : 'Name a directory that can be written to: --store DIRECTORY, or ZEROSHIFT_STORE.',
      perform: async () => {
        skew = await tryStore(openStore(url))
        return `${pathOrUrl(url)}: write, read, conditional put, delete`
      },
    },
    {
      name: 'clock',
      needed: false,
      remedy: "Set this machine's clock and the store's by NTP: chrony, or `timedatectl set-ntp true`.",
      perform: () => {
        if (skew === undefined) throw new Error('not known, since the store could not be written to')
        if (Math.abs(skew) <= MOST_SKEW_SECONDS) return `within ${MOST_SKEW_SECONDS} s of the store's`
        const apart = `${Math.abs(skew)} s ${skew < 0 ? 'ahead of' : 'behind'}`
        throw new Error(`this machine's clock is ${apart} the store's`)
      },
    },
    spaceCheck(url.startsWith('s3://') ? undefined : fileURLToPath(url)),
  ]
}

/** S3 refuses signatures that are 15 minutes off, and `gc` depends on the age of objects. */
const MOST_SKEW_SECONDS = 30
/** The resolution of the times that stores give. */
const RESOLUTION_MS = 1000
/** The folder in a store for objects that only test whether it can be written to. */
export const PROBES = 'doctor/'

/**
 * Performs each operation of a stage on a store once and leaves nothing there. Returns by how many
 * seconds the store's clock is ahead of this machine's.
 */
async function tryStore(store: ObjectStore): Promise<number> {
  const path = `${PROBES}${randomUUID()}`
  const written = new TextEncoder().encode('doctor')
  const before = Date.now()
  if (!(await store.putIfAbsent(path, written))) throw new Error('a first write was refused')
  const after = Date.now()
  const tried = async () => {
    if (await store.putIfAbsent(path, written))
      throw new Error('a second write of one name went through: conditional puts do not work here')
    const read = await store.get(path)
    if (!read || Buffer.compare(read, written) !== 0) throw new Error('what was read is not what was written')
    const entry = (await store.list(PROBES)).find((object) => object.path === path)
    if (!entry) throw new Error('what was written is not listed')
    return skewSeconds(entry.modified, before, after)
  }
  const skew = await tried().finally(() => store.delete(path))
  if (await store.get(path)) throw new Error('what was deleted is still there')
  return skew
}

/**
 * Returns by how many whole seconds the store's clock is ahead of this machine's. `modified` is its
 * time of a write that happened here between `before` and `after`.
 */
export function skewSeconds(modified: number, before: number, after: number): number {
  if (modified > after) return Math.round((modified - after) / 1000)
  const latest = modified + RESOLUTION_MS
  return latest < before ? -Math.round((before - latest) / 1000) : 0
}

const LEAST_GIGABYTES = 2

/**
 * Returns the check of the free space for a store in a directory, for the cache of tools, data and
 * blobs, and for temporary files.
 */
function spaceCheck(store: string | undefined): Check {
  return {
    name: 'disk',
    needed: false,
    remedy:
      'Free some, run `./zeroshift gc --delete`, or name other places: --store, ZEROSHIFT_CACHE, TMPDIR. Runs wait while a disk is full.',
    perform: async () => {
      const folders = [...(store === undefined ? [] : [store]), cacheDirectory(), tmpdir()]
      const room = await Promise.all(
        folders.map(async (folder) => {
          const { bavail, bsize } = await statfs(existing(folder))
          return { folder, gigabytes: (bavail * bsize) / 1e9 }
        }),
      )
      const text = room.map(({ folder, gigabytes }) => `${gigabytes.toFixed(1)} GB for ${folder}`).join(', ')
      if (room.some(({ gigabytes }) => gigabytes < LEAST_GIGABYTES)) throw new Error(text)
      return text
    },
  }
}

/** Returns the folder, or the nearest folder above it that exists. */
function existing(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : existing(dirname(folder))
}
