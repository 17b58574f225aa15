import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeFolder } from '../../common/make-folder.ts'
import { unwritable } from '../../common/unwritable.ts'
import { UserError } from '../../common/errors.ts'
import { refuseUrl } from './refuse-url.ts'

/**
 * Makes a folder that appears complete or not at all. `option` names it on the command line. Throws
 * a UserError if the path exists already.
 */
export async function newFolder(
  path: string,
  fill: (folder: string) => Promise<void>,
  option = '--out',
): Promise<void> {
  refuseUrl(path, option)
  const wanted = resolve(path)
  const present = await readdir(wanted).catch((error: NodeJS.ErrnoException) =>
    error.code === 'ENOENT' ? [] : [error.code ?? ''],
  )
  if (present.length > 0)
    throw new UserError(`${path} is there already, and nothing is overwritten; name another with ${option}`)
  const unfinished = await writingTo(path, option, async () => {
    await makeFolder(dirname(wanted))
    return mkdtemp(`${wanted}-`)
  })
  try {
    await fill(unfinished)
    await rename(unfinished, wanted)
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true })
    throw error
  }
}

/**
 * Writes texts into a folder, which is created if it is missing. Throws a UserError if it cannot be
 * written to.
 */
export async function writeTexts(folder: string, texts: Readonly<Record<string, string>>): Promise<void> {
  await writingTo(folder, '--out', async () => {
    await makeFolder(resolve(folder))
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text)
  })
}

async function writingTo<T>(folder: string, option: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new UserError(
      `nothing can be written to ${folder}: ${unwritable(error)}; name another folder with ${option}`,
    )
  }
}
