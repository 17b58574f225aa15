import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder } from '../common/make-folder.ts'
import { cacheDirectory } from '../host/cache.mjs'
import { exclusively } from '../host/lock.mjs'
import { writingTo } from './disk.ts'

/** The path of a directory in the cache of downloads, which all processes of this machine share. */
export function cachePath(...names: readonly string[]): string {
  return join(cacheDirectory(), 'sources', ...names)
}

/**
 * Returns the directory. If it does not exist, `fill` creates it, in one process at a time, and it
 * appears only when it is complete. `fill` gets a working directory, which still holds the files of
 * an earlier process that was interrupted, and returns the finished directory inside it.
 */
export async function cachedDirectory(
  directory: string,
  fill: (incoming: string) => Promise<string>,
): Promise<string> {
  if (await isDirectory(directory)) return directory
  return writingTo(dirname(directory), 'ZEROSHIFT_CACHE', async () => {
    await makeFolder(dirname(directory))
    return exclusively(directory, async () => {
      if (await isDirectory(directory)) return directory
      const incoming = `${directory}.incoming`
      await mkdir(incoming, { recursive: true })
      await rename(await fill(incoming), directory)
      await rm(incoming, { recursive: true, force: true })
      return directory
    })
  })
}

/** Reads a small JSON file with a server's response, which only saves requests. */
export async function readRecord(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch {
    return undefined
  }
}

export async function writeRecord(file: string, record: unknown): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  await writingTo(dirname(file), 'ZEROSHIFT_CACHE', async () => {
    await makeFolder(dirname(file))
    await writeFile(aside, JSON.stringify(record))
    await rename(aside, file)
  })
}

export async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() ?? false
}
