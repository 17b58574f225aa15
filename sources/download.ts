import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { mapConcurrently } from '../common/concurrency.ts'
import { errorMessage, UserError } from '../common/errors.ts'
import { ask, Unreachable } from './http.ts'

/** A file to download. */
export interface RemoteFile {
  /** The name of the file in messages. */
  readonly name: string
  /** Identifies the content. A partial download with another identity is discarded. */
  readonly identity: string
  readonly bytes?: number | undefined
  /** The download fails if the file is longer. */
  readonly maximumBytes?: number | undefined
  /**
   * Opens the file at an offset. `etag` is the version that was received before, if it is known.
   */
  open(from: number, etag: string | undefined): Promise<Opened>
  /** Returns the flaw of the complete file, such as "has the SHA-256 …, expected …". */
  verify(file: string): Promise<string | undefined>
}

export interface Opened {
  readonly body: Readable
  /**
   * The offset of the body: the requested one, or 0 if the server cannot resume or has a new
   * version.
   */
  readonly from: number
  /** The size of the whole file, if the server gives it. */
  readonly bytes: number | undefined
  readonly etag: string | undefined
}

/** The download was interrupted or the server is busy. The next attempt continues from there. */
export class Interruption extends Error {
  override readonly name = 'Interruption'
  readonly waitMs: number

  constructor(message: string, waitMs = 0) {
    super(message)
    this.waitMs = waitMs
  }
}

/**
 * The server cannot continue a partial download. It is discarded, and the next attempt starts over.
 */
export class NothingToResume extends Error {
  override readonly name = 'NothingToResume'
}

/** The number of successive attempts without any new byte after which a download fails. */
const FRUITLESS_ATTEMPTS = 5
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 30_000

/**
 * Downloads a file to `to`, where it appears only when it is complete and verified. After an
 * interruption, the received part stays beside it, and the next attempt of any process requests
 * only the rest.
 */
export async function download(file: RemoteFile, to: string): Promise<void> {
  if (await isFile(to)) return
  const partial = partialOf(to)
  await mkdir(dirname(to), { recursive: true })
  let hasBegunAnew = false
  for (let fruitless = 0; ;) {
    const before = await sizeOf(partial.file)
    try {
      const wrong = await attempt(file, partial)
      if (wrong === undefined) break
      await discard(partial)
      // The partial file may have been of another version that the server did not distinguish.
      if (before === 0 || hasBegunAnew) throw new UserError(`what ${file.name} gave ${wrong}: it was changed`)
      hasBegunAnew = true
    } catch (error) {
      if (error instanceof NothingToResume) await discard(partial)
      else if (!(error instanceof Interruption || error instanceof Unreachable)) throw error
      fruitless = (await sizeOf(partial.file)) > before ? 0 : fruitless + 1
      const waitMs = error instanceof Interruption ? error.waitMs : 0
      if (fruitless === FRUITLESS_ATTEMPTS || waitMs > LONGEST_PAUSE_MS) throw givenUp(file, error)
      await sleep(Math.max(waitMs, FIRST_PAUSE_MS * 2 ** fruitless * (0.5 + Math.random() / 2)))
    }
  }
  await rename(partial.file, to)
  await rm(partial.note, { force: true })
}

/**
 * Downloads several files, some of them in parallel. After a failure, no further one is started.
 */
export async function downloadAll(
  files: readonly { readonly file: RemoteFile; readonly to: string }[],
): Promise<void> {
  const failures: unknown[] = []
  await mapConcurrently(files, async ({ file, to }) => {
    if (failures.length === 0) await download(file, to).catch((error: unknown) => failures.push(error))
  })
  if (failures.length > 0) throw failures[0]
}

function givenUp({ name }: RemoteFile, error: Error): Error {
  const message = `${name} could not be downloaded: ${error.message}; what has come is kept, and the next try goes on from there`
  return error instanceof Unreachable ? new Unreachable(message) : new Error(message)
}

interface Partial {
  readonly file: string
  /** The file with the identity and the ETag of the content. */
  readonly note: string
}

const partialOf = (to: string): Partial => ({ file: `${to}.partial`, note: `${to}.partial.json` })

/** Downloads the rest of a file, and returns the flaw of the complete file, if it has one. */
async function attempt(file: RemoteFile, partial: Partial): Promise<string | undefined> {
  const kept = await keptOf(file, partial)
  if (kept.bytes === 0 || kept.bytes !== file.bytes) await receive(file, partial, kept)
  return file.verify(partial.file)
}

async function receive(file: RemoteFile, partial: Partial, kept: Kept): Promise<void> {
  const { body, from, bytes, etag } = await file.open(kept.bytes, kept.etag)
  // A connection may fail before anybody listens for errors.
  body.on('error', () => undefined)
  try {
    if (file.bytes !== undefined && bytes !== undefined && bytes !== file.bytes)
      throw new UserError(`${file.name} has ${bytes} bytes, expected ${file.bytes}: it is another file`)
    const expected = file.bytes ?? bytes
    const most = expected ?? file.maximumBytes ?? Infinity
    if (file.maximumBytes !== undefined && most > file.maximumBytes) throw tooLong(file, file.maximumBytes)
    if (from === 0) {
      await rm(partial.file, { force: true })
      await writeFile(partial.note, JSON.stringify({ identity: file.identity, etag }))
    }
    let size = from
    const handle = await open(partial.file, from === 0 ? 'w' : 'a')
    try {
      for await (const chunk of arriving(body)) {
        size += chunk.length
        if (size > most) throw tooLong(file, most)
        await handle.appendFile(chunk)
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    if (expected !== undefined && size < expected)
      throw new Interruption(`it broke off: ${size} bytes came, expected ${expected}`)
  } finally {
    body.destroy()
  }
}

const tooLong = ({ name }: RemoteFile, most: number) =>
  new UserError(`${name} is longer than the ${most} bytes expected: it is another file`)

/**
 * The chunks of a body. An error of the connection becomes an Interruption, unlike one of the disk.
 */
async function* arriving(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body as AsyncIterable<Buffer>
  } catch (error) {
    throw new Interruption(`it broke off (${errorMessage(error)})`)
  }
}

interface Kept {
  readonly bytes: number
  readonly etag: string | undefined
}

async function keptOf({ identity }: RemoteFile, partial: Partial): Promise<Kept> {
  const bytes = await sizeOf(partial.file)
  try {
    const note = JSON.parse(await readFile(partial.note, 'utf8')) as { identity?: unknown; etag?: unknown }
    if (note.identity === identity)
      return { bytes, etag: typeof note.etag === 'string' ? note.etag : undefined }
  } catch {
    // The note is missing or damaged, so the content of the bytes is unknown.
  }
  await discard(partial)
  return { bytes: 0, etag: undefined }
}

async function discard({ file, note }: Partial): Promise<void> {
  await rm(file, { force: true })
  await rm(note, { force: true })
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ?? false
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined)
  return found?.size ?? 0
}

/**
 * Opens a file of a web server, with a range if only the rest is needed. `refused` makes the error
 * for a status that no retry can change.
 */
export async function openUrl(
  url: string,
  from: number,
  etag: string | undefined,
  {
    token,
    refused,
  }: {
    token?: string | undefined
    refused?: (status: number, headers: ReadonlyMap<string, string>) => Error
  } = {},
): Promise<Opened & { readonly headers: ReadonlyMap<string, string> }> {
  // A weak ETag does not guarantee the same bytes, and If-Range does not allow it.
  const condition = etag === undefined || etag.startsWith('W/') ? {} : { 'if-range': etag }
  const answer = await ask(url, {
    token,
    headers: from === 0 ? {} : { range: `bytes=${from}-`, ...condition },
  })
  const { status, headers, body } = answer
  const itsTag = headers.get('etag')
  if (status === 200) return { body, from: 0, bytes: lengthOf(headers), etag: itsTag, headers }
  if (status === 206 && from > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '')
    const isSame = etag === undefined || itsTag === undefined || itsTag === etag
    if (range && Number(range[1]) === from && isSame)
      return { body, from, bytes: range[2] === '*' ? undefined : Number(range[2]), etag: itsTag, headers }
    body.destroy()
    throw new NothingToResume('the server has other content now')
  }
  body.on('error', () => undefined)
  body.destroy()
  if (status === 416 && from > 0) throw new NothingToResume('the server has less than has come')
  if (status === 408 || status === 429 || status >= 500)
    throw new Interruption(`the server answered ${status}`, pauseOf(headers))
  throw (
    refused?.(status, headers) ??
    new UserError(`${url} could not be downloaded: the server answered ${status}${ADVICE[status] ?? ''}`)
  )
}

const ADVICE: Readonly<Record<number, string>> = {
  401: '; it wants credentials, which a URL cannot have: download the file by hand and name its directory',
  403: '; it wants credentials, which a URL cannot have: download the file by hand and name its directory',
  404: '; there is no such file: check the URL',
  410: '; the file is gone: check the URL',
}

function lengthOf(headers: ReadonlyMap<string, string>): number | undefined {
  const length = headers.get('content-length')
  return length === undefined ? undefined : Number(length)
}

/** The pause of a Retry-After header in milliseconds. A date counts as no pause. */
function pauseOf(headers: ReadonlyMap<string, string>): number {
  const seconds = Number(headers.get('retry-after') ?? 0)
  return Number.isFinite(seconds) ? Math.max(0, seconds) * 1000 : 0
}
