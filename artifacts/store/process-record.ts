import { randomUUID } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { findingsOf } from '../../experiment/spec/config-issues.ts'
import { isLoopbackAddress, isLoopbackHost } from '../../common/loopback.ts'
import { ignoredRecord } from './events.ts'
import { isSameProcess, startOf } from '../../host/alive.mjs'

/**
 * Notes are files in which a process says where its servers answer, for other processes of the same
 * user on the same machine. A note decides where commands read and write, so it counts only where
 * nobody else can have written it, it lies where it was written, every address in it is of this
 * machine, and the process is still there.
 */

/** A process of this machine. */
export const processSchema = {
  pid: z.int().positive(),
  /** See `startOf` in host/alive.mjs. */
  start: z.string().nullable(),
}

interface NotedProcess {
  readonly pid: number
  readonly start: string | null
}

interface Note {
  /** Where it was written, as an absolute path without links. */
  readonly folder: string
}

/** `HOST:PORT` of this machine. */
export const loopbackAddress = z
  .string()
  .refine(
    (text) => /^[^\s/@?#]+:\d{1,5}$/.test(text) && isLoopbackAddress(text),
    'expected an address of this machine, such as 127.0.0.1:7233',
  )

/** URL of a server on this machine. */
export const loopbackUrl = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) && new URL(text).protocol === 'http:' && isLoopbackHost(new URL(text).hostname),
    'expected a URL of this machine, such as http://127.0.0.1:7070',
  )

export function thisProcess(): NotedProcess {
  return { pid: process.pid, start: startOf(process.pid) }
}

/** Whether the process that wrote a note is still there. */
export function isThere({ pid, start }: NotedProcess): boolean {
  return isSameProcess(pid, start)
}

/** The folder of a note, made where it is missing. */
export function folderOf(path: string): string {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true })
  return realpathSync(folder)
}

/**
 * The note at `path`. undefined: there is none, or it is not to be trusted, which is told once with
 * the reason (`ignoredRecord`).
 */
export function readNote<T extends Note>(path: string, schema: z.ZodType<T>): T | undefined {
  const read = noteOrFlaw(path, schema)
  if (read === undefined || 'note' in read) return read?.note
  const message = `${resolve(path)} is ignored: ${read.flaw}. Delete it if no \`./zeroshift up\` runs in its folder`
  if (!told.has(message)) {
    told.add(message)
    ignoredRecord.publish(message)
  }
  return undefined
}

const told = new Set<string>()

type Read<T> = { readonly note: T } | { readonly flaw: string } | undefined

function noteOrFlaw<T extends Note>(path: string, schema: z.ZodType<T>): Read<T> {
  const text = ownText(path)
  if (text === undefined || typeof text !== 'string') return text
  const value = asJson(text)
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const [finding] = findingsOf(schema, value)
    const message = finding?.message ?? 'it has another form'
    return { flaw: `it is no note of this version of Zeroshift (${message})` }
  }
  const { folder } = parsed.data
  if (folder !== realpathSync(dirname(path)))
    return { flaw: `it was written in ${folder} and is a copy here` }
  return { note: parsed.data }
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const MOST_BYTES = 64 * 1024

/** The text of a regular file that belongs to this user and that nobody else can write to. */
function ownText(path: string): string | { readonly flaw: string } | undefined {
  let file: number
  try {
    // A FIFO would wait for a writer; a link leads to a file of somebody else's choice.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    return { flaw: code === 'ELOOP' ? 'it is a symbolic link' : `it cannot be opened: ${message}` }
  }
  try {
    const found = fstatSync(file)
    const user = process.getuid?.()
    if (!found.isFile()) return { flaw: 'it is no regular file' }
    if (user !== undefined && found.uid !== user)
      return { flaw: `it belongs to the user ${found.uid}, and this is the user ${user}` }
    if ((found.mode & 0o022) !== 0)
      return { flaw: `others may write to it (mode ${(found.mode & 0o777).toString(8)})` }
    if (found.size > MOST_BYTES) return { flaw: `it has ${found.size} bytes, expected ${MOST_BYTES} at most` }
    return readFileSync(file, 'utf8')
  } catch (error) {
    return { flaw: `it cannot be read: ${(error as Error).message}` }
  } finally {
    closeSync(file)
  }
}

/** Puts a note in the place of any that is there; its owner alone can read it. */
export function writeNote<T extends Note>(path: string, note: T): void {
  const aside = `${path}.${randomUUID()}`
  writeFileSync(aside, JSON.stringify(note), { mode: 0o600 })
  renameSync(aside, path)
}
