import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { UserError } from '../../common/errors.ts'
import { readRegularFile, whyUnreadable } from '../../common/regular-file.ts'
import { matchesGlob } from '../../datasets/glob.ts'
import { MOST_PROGRAM_BYTES, type ProgramFile } from '../../experiment/spec/program.ts'
import { packFolder } from '../../programs/folder.ts'

/** The files of external programs on this machine, which are relative to the folder of a config. */

/** A file with its contents. */
interface ReadFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/**
 * Returns the files that the patterns of a config match, sorted by path. `where` names the option
 * in errors. Throws a UserError if a pattern matches nothing, and for a file that is outside of the
 * folder of the config, cannot be read or is too large.
 */
export async function programFilesOf(
  config: string,
  patterns: readonly string[],
  where: string,
): Promise<readonly ProgramFile[]> {
  const folder = dirname(config)
  const matched = await Promise.all(
    patterns.map(async (pattern, i) => {
      const paths = await matching(folder, pattern)
      if (paths.length > 0) return paths
      throw new UserError([
        {
          path: `${where}[${i}]`,
          message: `"${pattern}" matches no file in ${folder}; expected one at least`,
        },
      ])
    }),
  )
  const paths = [...new Set(matched.flat())].sort()
  const files = await readFiles(folder, paths, where)
  return files.map(({ path, bytes }) => ({ path, sha256: sha256(bytes), bytes: bytes.length }))
}

/**
 * Packs the files of a program in the folder of a config. Throws a UserError if one of them is not
 * as it was when the run was planned.
 */
export async function packedProgram(config: string, files: readonly ProgramFile[]): Promise<Uint8Array> {
  const folder = dirname(config)
  const read = await readFiles(
    folder,
    files.map(({ path }) => path),
    'files',
  )
  for (const [i, { path, bytes }] of read.entries())
    if (sha256(bytes) !== files[i]?.sha256)
      throw new UserError(
        `${join(folder, path)} is not the file that the run was planned with: it has the SHA-256 ${sha256(bytes)}, expected ${files[i]?.sha256 ?? 'another one'}; start the run again`,
      )
  const copy = await mkdtemp(join(tmpdir(), 'zeroshift-program-'))
  try {
    for (const { path, bytes } of read) {
      const file = join(copy, path)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, bytes)
    }
    return await packFolder(copy, { mostBytes: MOST_PROGRAM_BYTES })
  } finally {
    await rm(copy, { recursive: true })
  }
}

/** The paths of the files below a folder that match a pattern. */
async function matching(folder: string, pattern: string): Promise<readonly string[]> {
  const parts = pattern.split('/')
  const firstWild = parts.findIndex((part) => part.includes('*'))
  if (firstWild < 0) return [parts.filter((part) => part !== '.' && part !== '').join('/')]
  const start = parts.slice(0, firstWild).join('/')
  const matches = matchesGlob(pattern)
  return (await filesBelow(join(folder, start))).map((path) => relative(folder, path)).filter(matches)
}

/**
 * Folders that no pattern enters: they have thousands of files, none of which is a program's own.
 */
const passedOver = new Set(['node_modules', '__pycache__'])

/** All files below a folder, except hidden ones. Links to folders are not followed. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.') && !passedOver.has(name))
      .map((entry) => {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) return filesBelow(path)
        return Promise.resolve(entry.isFile() || entry.isSymbolicLink() ? [path] : [])
      }),
  )
  return found.flat()
}

async function readFiles(
  folder: string,
  paths: readonly string[],
  where: string,
): Promise<readonly ReadFile[]> {
  const root = await realpath(folder)
  const files: ReadFile[] = []
  let left = MOST_PROGRAM_BYTES
  for (const path of paths) {
    const file = join(folder, path)
    const refuse = (message: string): never => {
      throw new UserError([{ path: where, message: `${file}: ${message}` }])
    }
    try {
      const bytes = await readRegularFile(file, { mostBytes: MOST_PROGRAM_BYTES })
      const inside = relative(root, await realpath(file))
      if (inside.startsWith('..'))
        refuse(`this link leads out of the folder of the config; expected the file itself in ${folder}`)
      left -= bytes.length
      files.push({ path, bytes })
    } catch (error) {
      const reason = whyUnreadable(error)
      if (reason === undefined) throw error
      refuse(`${reason}; expected a file of the program`)
    }
    if (left < 0)
      refuse(
        `the files of the program have more than ${MOST_PROGRAM_BYTES / 1e6} MB together; name fewer files, and read data from elsewhere`,
      )
  }
  return files
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
