import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive, startOf } from '../../host/alive.mjs'
import { cacheDirectory } from '../../host/cache.mjs'

/**
 * The folders in which external programs work: `programs/<host>/<pid>-<start>-<random>` in the
 * cache directory. The name tells which process uses a folder, so that those of processes that were
 * killed are removed by the next one.
 */
const folderOfHost = () => join(cacheDirectory(), 'programs', hostname())

/** Does some work with a new, empty folder, and removes the folder afterwards. */
export async function withWorkingDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const parent = folderOfHost()
  await mkdir(parent, { recursive: true, mode: 0o700 })
  await removeAbandoned(parent)
  const directory = await mkdtemp(join(parent, `${process.pid}-${startDigest(process.pid)}-`))
  try {
    return await work(directory)
  } finally {
    await removeFolder(directory)
  }
}

/** Removes the folders of processes that do not exist any more. */
async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const [, pid = '', start = ''] = /^(\d+)-([0-9a-f]{8})-/.exec(name) ?? []
    const isUsed = pid === '' || (isAlive(Number(pid)) && startDigest(Number(pid)) === start)
    if (!isUsed) await removeFolder(join(parent, name))
  }
}

/** A process that was just killed may still write into the folder. */
function removeFolder(directory: string): Promise<void> {
  return rm(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 100 })
}

function startDigest(pid: number): string {
  return createHash('sha256')
    .update(startOf(pid) ?? '')
    .digest('hex')
    .slice(0, 8)
}
