import { createWriteStream } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { extract } from 'tar'
import { openPromise, type Entry, type ZipFile } from 'yauzl'
import { errorMessage, UserError } from '../common/errors.ts'
import { isSafeName } from '../common/safe-name.ts'

export function isArchive(name: string): boolean {
  return /\.(zip|tar|tar\.gz|tgz)$/i.test(name)
}

/**
 * Unpacks a zip or tar file into an empty directory. Throws a UserError for an archive with a link,
 * a device or a name that leads out of the directory, and for one that exceeds the limits.
 */
export async function unpack(file: string, into: string, limits: Limits): Promise<void> {
  try {
    if (/\.zip$/i.test(file)) await unpackZip(file, into, limits)
    else await unpackTar(file, into, admission(limits))
  } catch (error) {
    // An error of a system call comes from the disk, not from the archive.
    if (error instanceof UserError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error
    throw new UserError(`the archive cannot be unpacked: ${errorMessage(error)}`)
  }
}

export interface Limits {
  /**
   * The total size of all files, by the archive's headers. No file may be longer than its header
   * says.
   */
  readonly maximumBytes: number
  readonly maximumFiles: number
}

/** Files below this size hold no image and no array, but take as long to create as larger ones. */
const TINY_BYTES = 64
const MOST_TINY = 10_000
const MOST_FOLDERS = 100_000

type Kind = 'file' | 'directory' | 'other'
type Admit = (entry: { readonly name: string; readonly kind: Kind; readonly bytes: number }) => boolean

/**
 * A function that checks entries one after the other. It returns false for an entry to leave out,
 * and throws a UserError for one that is not allowed.
 */
function admission({ maximumBytes, maximumFiles }: Limits): Admit {
  let bytes = 0
  let files = 0
  let folders = 0
  let tiny = 0
  const refuse = (what: string) =>
    new UserError(`the archive holds more than ${what}; unpack it by hand and name its directory`)
  return (entry) => {
    const name = entry.name.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
    if (name === '' || name === '.') return false
    if (!isSafeName(name))
      throw new UserError(`the archive holds "${entry.name}", a name that leads out of it; expected none`)
    if (entry.kind === 'other')
      throw new UserError(
        `the archive holds "${entry.name}", which is a link or a device; expected files and folders alone`,
      )
    // Files that macOS adds to archives.
    if (/(^|\/)(__MACOSX|\.DS_Store|\._[^/]*)(\/|$)/.test(name)) return false
    bytes += entry.bytes
    files += 1
    folders += entry.kind === 'directory' ? 1 : 0
    tiny += entry.kind === 'file' && entry.bytes < TINY_BYTES ? 1 : 0
    if (bytes > maximumBytes) throw refuse(`${maximumBytes} bytes`)
    if (files > maximumFiles) throw refuse(`${maximumFiles} files`)
    if (folders > MOST_FOLDERS) throw refuse(`${MOST_FOLDERS} folders`)
    if (tiny > MOST_TINY) throw refuse(`${MOST_TINY} files of less than ${TINY_BYTES} bytes`)
    return true
  }
}

async function unpackTar(file: string, into: string, admit: Admit): Promise<void> {
  const problems: unknown[] = []
  await extract({
    file,
    cwd: into,
    strict: true,
    preserveOwner: false,
    noMtime: true,
    // Names are checked here. The library would hide a wrong one by removing a leading slash.
    preservePaths: false,
    filter(name, entry) {
      if (problems.length > 0) return false
      try {
        return admit({ name, kind: kindOf('type' in entry ? entry.type : ''), bytes: entry.size })
      } catch (error) {
        problems.push(error)
        return false
      }
    },
  }).catch((error: unknown) => {
    problems.push(error)
  })
  if (problems.length > 0) throw problems[0]
}

function kindOf(type: string): Kind {
  if (type === 'Directory') return 'directory'
  return ['File', 'OldFile', 'ContiguousFile'].includes(type) ? 'file' : 'other'
}

const MODE_BITS = 16
const TYPE_OF_FILE = 0o170000
const FOLDER = 0o040000
const REGULAR = 0o100000

async function unpackZip(file: string, into: string, limits: Limits): Promise<void> {
  // All entries are checked before anything is written.
  await eachMember(file, admission(limits), () => Promise.resolve())
  await eachMember(file, admission(limits), async (zip, entry, kind) => {
    const path = join(into, entry.fileName)
    if (kind === 'directory') {
      await mkdir(path, { recursive: true })
      return
    }
    await mkdir(dirname(path), { recursive: true })
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { flags: 'wx' }))
  })
}

async function eachMember(
  file: string,
  admit: Admit,
  work: (zip: ZipFile, entry: Entry, kind: Kind) => Promise<void>,
): Promise<void> {
  const zip = await openPromise(file)
  try {
    for await (const entry of zip.eachEntry()) {
      const kind = kindInZip(entry)
      if (admit({ name: entry.fileName, kind, bytes: entry.uncompressedSize })) await work(zip, entry, kind)
    }
  } finally {
    zip.close()
  }
}

function kindInZip({ fileName, externalFileAttributes }: Entry): Kind {
  // The type is 0 if the archive was made on a system without such modes.
  const type = (externalFileAttributes >>> MODE_BITS) & TYPE_OF_FILE
  if (![0, FOLDER, REGULAR].includes(type)) return 'other'
  return fileName.endsWith('/') ? 'directory' : 'file'
}

/** Names of folders that keep their meaning if they are the only folder of an archive. */
const PARTS = /^(train|training|test|testing|val|valid|validation)$/i

/** The folder with the files: most archives hold a single folder with the name of the archive. */
export async function contentOf(directory: string): Promise<string> {
  const [only, ...others] = await readdir(directory, { withFileTypes: true })
  if (!only || others.length > 0 || !only.isDirectory() || PARTS.test(only.name)) return directory
  return join(directory, only.name)
}
