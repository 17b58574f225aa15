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
import { parseJson } from '../../common/json.ts'
import { isLoopbackAddress, isLoopbackHost } from '../../common/loopback.ts'
import { ignoredRecord } from './events.ts'
import { isSameProcess, startOf } from '../../host/alive.mjs'

/**
 * A process record is a file that tells other processes of the same user on this machine which
 * process serves an address. A record decides where commands read and write, so it is trusted only
 * if all of these hold: it belongs to this user and nobody else can write to it, it is in the
 * folder in which it was written, and every address in it is of this machine. The caller also asks
 * whether the process is still running.
 */

/** The fields that identify a process of this machine. */
export const processSchema = {
  pid: z.int().positive(),
  /** When the process started, as `startOf` in host/alive.mjs gives it. */
  start: z.string().nullable(),
}

interface ProcessId {
  readonly pid: number
  readonly start: string | null
}

interface ProcessRecord {
  /** The folder in which the record was written, as an absolute path without symbolic links. */
  readonly folder: string
}

/** A `HOST:PORT` of this machine. */
export const loopbackAddress = z
  .string()
  .refine(
    (text) => /^[^\s/@?#]+:\d{1,5}$/.test(text) && isLoopbackAddress(text),
    'expected an address of this machine, such as 127.0.0.1:7233',
  )

/** The http URL of a server on this machine. */
export const loopbackUrl = z
  .string()
  .refine(
    (text) =>
      URL.canParse(text) && new URL(text).protocol === 'http:' && isLoopbackHost(new URL(text).hostname),
    'expected a URL of this machine, such as http://127.0.0.1:7070',
  )

export function thisProcess(): ProcessId {
  return { pid: process.pid, start: startOf(process.pid) }
}

/** Whether the process that wrote a record is still running. */
export function isRunning({ pid, start }: ProcessId): boolean {
  return isSameProcess(pid, start)
}

/** The folder of a record without symbolic links. It is created if it is missing. */
export function recordFolder(path: string): string {
  const folder = dirname(path)
  mkdirSync(folder, { recursive: true })
  return realpathSync(folder)
}

/**
 * Reads a record. Returns undefined if there is none, and also if it is not trusted: the reason is
 * then published once as `ignoredRecord`.
 */
export function readProcessRecord<T extends ProcessRecord>(
  path: string,
  schema: z.ZodType<T>,
): T | undefined {
  const read = recordOrFlaw(path, schema)
  if (read === undefined || 'record' in read) return read?.record
  const message = `${resolve(path)} is ignored: ${read.flaw}. Delete it if no \`./zeroshift up\` runs in its folder`
  if (!published.has(message)) {
    published.add(message)
    ignoredRecord.publish(message)
  }
  return undefined
}

const published = new Set<string>()

type Read<T> = { readonly record: T } | { readonly flaw: string } | undefined

function recordOrFlaw<T extends ProcessRecord>(path: string, schema: z.ZodType<T>): Read<T> {
  const text = trustedText(path)
  if (text === undefined || typeof text !== 'string') return text
  const value = parseJson(text)
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const [finding] = findingsOf(schema, value)
    const message = finding?.message ?? 'it has another form'
    return { flaw: `it is no process record of this version of Zeroshift (${message})` }
  }
  const { folder } = parsed.data
  if (folder !== realpathSync(dirname(path)))
    return { flaw: `it was written in ${folder} and is a copy here` }
  return { record: parsed.data }
}

const MOST_BYTES = 64 * 1024

/**
 * The text of a regular file that belongs to this user and that nobody else can write to. Returns
 * undefined if there is no file, and the reason if the file is another one.
 */
function trustedText(path: string): string | { readonly flaw: string } | undefined {
  let file: number
  try {
    // Opening a FIFO would wait for a writer. A link may lead to a file that somebody else chose.
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

/** Writes a record, or replaces it. Only its owner can read it. */
export function writeProcessRecord<T extends ProcessRecord>(path: string, record: T): void {
  const temporary = `${path}.${randomUUID()}`
  writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 })
  renameSync(temporary, path)
}
