import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UserError } from '../experiment/errors.ts'

/** Makes a folder that is there whole or not at all. Throws a UserError where there is something of that name. */
export async function newFolder(path: string, fill: (folder: string) => Promise<void>): Promise<void> {
  const wanted = resolve(path)
  const present = await readdir(wanted).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : [error.code ?? ''],
  )
  if (present.length > 0)
    throw new UserError(`${path} is there already, and nothing is overwritten; name another with --out`)
  await mkdir(dirname(wanted), { recursive: true })
  const unfinished = await mkdtemp(`${wanted}-`)
  try {
    await fill(unfinished)
    await rename(unfinished, wanted)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
}
