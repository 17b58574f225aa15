import { lstat, mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Header, Pax } from 'tar'
import { BLOCK, headerOf, padding } from '../artifacts/format/tar-blocks.ts'
import { grouped } from '../common/counted.ts'
import { readRegularFile } from '../common/regular-file.ts'
import { isSafeName } from '../common/safe-name.ts'
import { ProgramError } from './errors.ts'

/**
 * The content of a folder: a tar file as `packFolder` writes it, or the bytes of each file by its
 * path in the folder, with slashes.
 */
export type FolderContent = Uint8Array | Readonly<Record<string, Uint8Array>>

export interface PackOptions {
  /** The most bytes of all files together. */
  readonly mostBytes: number
  /** The only direct child of the folder that is packed. All are packed unless given. */
  readonly only?: string
}

/**
 * Packs the files in a folder into a POSIX tar file, sorted by path, without times, owners and
 * modes, so that equal files give equal bytes on every machine. Empty folders are left out. Throws
 * a ProgramError for a link, a device or another file that is not regular, if there is no file, and
 * if the files have more than `mostBytes` or 2 GiB.
 */
export async function packFolder(folder: string, { mostBytes, only = '' }: PackOptions): Promise<Uint8Array> {
  const found = await filesAt(folder, only)
  const files = [...found].sort((a, b) => (a.path < b.path ? -1 : 1))
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const place = join(folder, only)
  if (files.length === 0) throw new ProgramError(`${place} is empty; expected at least one file`)
  const most = Math.min(mostBytes, MOST_BYTES)
  if (total > most)
    throw new ProgramError(
      `the files in ${place} have ${grouped(total)} bytes, expected ${grouped(most)} at most`,
    )
  const parts: Uint8Array[] = []
  for (const { path } of files) {
    const bytes = await readRegularFile(join(folder, path))
    parts.push(headerOf(path, bytes.length), bytes, Buffer.alloc(padding(bytes.length)))
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)])
}

/** The most bytes that Node reads from one file. */
const MOST_BYTES = 2 ** 31 - 1

interface FoundFile {
  /** Relative to the folder that is packed. */
  readonly path: string
  readonly bytes: number
}

async function filesIn(folder: string, inside: string): Promise<readonly FoundFile[]> {
  const found: FoundFile[] = []
  for (const name of await readdir(join(folder, inside)))
    found.push(...(await filesAt(folder, inside === '' ? name : `${inside}/${name}`)))
  return found
}

async function filesAt(folder: string, path: string): Promise<readonly FoundFile[]> {
  const place = resolve(folder, path)
  const found = await lstat(place)
  if (found.isDirectory()) return filesIn(folder, path)
  if (found.isFile()) return [{ path, bytes: found.size }]
  throw new ProgramError(
    `${place} is ${found.isSymbolicLink() ? 'a symbolic link' : 'a device, a socket or a FIFO'}; expected regular files and folders alone`,
  )
}

/**
 * Writes the files of `packed` into a folder, which is created if it is missing. All are
 * executable. Throws an Error if `packed` is no such tar file, or has a path that leads out of the
 * folder.
 */
export async function unpackFolder(packed: Uint8Array, folder: string): Promise<void> {
  await fillFolder(
    Object.fromEntries(membersOf(Buffer.from(packed.buffer, packed.byteOffset, packed.length))),
    folder,
  )
}

/**
 * Writes content of either kind into a folder, which is created if it is missing. Throws an Error
 * for a path that leads out of the folder.
 */
export async function fillFolder(content: FolderContent, folder: string): Promise<void> {
  if (content instanceof Uint8Array) return unpackFolder(content, folder)
  await mkdir(folder, { recursive: true })
  for (const [path, bytes] of Object.entries(content)) {
    if (!isSafeName(path)) throw new Error(`the path ${JSON.stringify(path)} leads out of its folder`)
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes, { flag: 'wx', mode: 0o755 })
  }
}

/** The paths and the bytes of the files in a tar file. */
function* membersOf(packed: Buffer): Generator<readonly [path: string, bytes: Uint8Array]> {
  let extended: Pax | undefined
  for (let at = 0; ;) {
    const block = packed.subarray(at, at + BLOCK)
    if (block.length === BLOCK && block.every((byte) => byte === 0)) return
    const {
      size = -1,
      cksumValid,
      type,
      path = '',
    } = block.length === BLOCK ? new Header(block, 0, extended) : {}
    const begin = at + BLOCK
    if (!cksumValid || size < 0 || begin + size > packed.length)
      throw new Error(`the packed folder is damaged at byte ${at}`)
    const bytes = packed.subarray(begin, begin + size)
    at = begin + size + padding(size)
    if (type === 'ExtendedHeader') {
      extended = Pax.parse(bytes.toString())
      continue
    }
    if (type !== 'File') throw new Error(`the packed folder has "${path}", which is no regular file`)
    yield [extended?.path ?? path, bytes]
    extended = undefined
  }
}
