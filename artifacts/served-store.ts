import { randomBytes, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isAlive } from '../infra/alive.mjs'
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

/** `s3.json` beside the directory, which only its owner can read. */
interface Note {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Where the server answers, which of the directories beside the note it serves, and the process that it ends with; absent where it does not run. */
  readonly endpoint?: string
  readonly bucket?: string
  readonly pid?: number
}

/** undefined: no server runs over the directory. */
export function servedStore(directory: string): ServedStore | undefined {
  const { endpoint, bucket, pid } = readNote(directory) ?? {}
  if (endpoint === undefined || pid === undefined) return undefined
  if (bucket !== basename(directory) || !isAlive(pid)) return undefined
  return new ServedStore(directory, endpoint)
}

/** The keys of the server over a directory: random, made once. */
export function serverKeys(directory: string): Pick<Note, 'accessKeyId' | 'secretAccessKey'> {
  const known = readNote(directory)
  if (known) return { accessKeyId: known.accessKeyId, secretAccessKey: known.secretAccessKey }
  const keys = {
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(30).toString('base64url'),
  }
  writeNote(directory, keys)
  return keys
}

/** Says that a server of this process answers for the directory. Returns what takes that back. */
export function noteServer(directory: string, endpoint: string): () => void {
  const keys = serverKeys(directory)
  writeNote(directory, { ...keys, endpoint, bucket: basename(directory), pid: process.pid })
  return () => {
    writeNote(directory, keys)
  }
}

export const noteBeside = (directory: string) => join(dirname(directory), 's3.json')

function readNote(directory: string): Note | undefined {
  try {
    return JSON.parse(readFileSync(noteBeside(directory), 'utf8')) as Note
  } catch {
    return undefined
  }
}

function writeNote(directory: string, note: Note): void {
  const path = noteBeside(directory)
  const aside = `${path}.${randomUUID()}`
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(aside, JSON.stringify(note), { mode: 0o600 })
  renameSync(aside, path)
}
