import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import {
  folderOf,
  isThere,
  loopbackUrl,
  processSchema,
  readNote,
  thisProcess,
  writeNote,
} from './process-record.ts'
import { S3Store } from './s3-store.ts'

/**
 * A store in a directory that an S3 server serves, as `zeroshift up` has it. While the server runs, everybody on this machine
 * goes through it: a conditional put of the server and one of the file system know nothing of each other. It stays the
 * same store under the same file:// URL, so that runs go on with the server and without it.
 */
class ServedStore extends S3Store {
  override readonly url: string

  constructor(directory: string, endpoint: string) {
    super(basename(directory), '', {
      endpoint,
      pathStyle: true,
      plainRequests: true,
      plainResponses: true,
      ownAttempts: false,
      encryption: {},
      credentialsFile: noteBeside(directory),
    })
    this.url = pathToFileURL(directory).href
  }
}

/** `s3.json` beside the directory: the keys of its server, and the server itself while it runs. */
const noteSchema = z.strictObject({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  folder: z.string(),
  server: z
    .strictObject({
      ...processSchema,
      endpoint: loopbackUrl,
      /** Which of the directories beside the note it serves. */
      bucket: z.string(),
    })
    .optional(),
})
type Note = z.infer<typeof noteSchema>

/** undefined: no server runs over the directory. */
export function servedStore(directory: string): ServedStore | undefined {
  const { server } = readNote(noteBeside(directory), noteSchema) ?? {}
  if (server?.bucket !== basename(directory) || !isThere(server)) return undefined
  return new ServedStore(directory, server.endpoint)
}

/** The keys of the server over a directory: random, made once. A copy of them does not count. */
export function serverKeys(directory: string): Omit<Note, 'server'> {
  const path = noteBeside(directory)
  const { server: _, ...known } = readNote(path, noteSchema) ?? newKeys(path)
  return known
}

function newKeys(path: string): Note {
  const keys: Note = {
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(30).toString('base64url'),
    folder: folderOf(path),
  }
  writeNote(path, keys)
  return keys
}

/** Says that a server of this process answers for the directory. Returns what takes that back. */
export function noteServer(directory: string, endpoint: string): () => void {
  const keys = serverKeys(directory)
  const path = noteBeside(directory)
  const server = { endpoint, bucket: basename(directory), ...thisProcess() }
  const note: Note = { ...keys, server }
  writeNote(path, note)
  return () => {
    writeNote(path, keys)
  }
}

export const noteBeside = (directory: string) => join(dirname(directory), 's3.json')
