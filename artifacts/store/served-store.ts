import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'
import {
  recordFolder,
  isRunning,
  loopbackUrl,
  processSchema,
  readProcessRecord,
  thisProcess,
  writeProcessRecord,
} from './process-record.ts'
import { S3Store } from './s3-store.ts'

/**
 * A store in a directory that an S3 server on this machine serves, as `zeroshift up` starts one.
 * While the server runs, every process of this machine uses it, because a conditional put through
 * the server and one through the file system do not exclude each other. The store keeps its file://
 * URL, so that runs can go on with the server and without it.
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
      credentialsFile: serverRecordPath(directory),
    })
    this.url = pathToFileURL(directory).href
  }
}

/**
 * The contents of `s3.json` beside the directory: the access keys of the server, and the server
 * while it runs.
 */
const recordSchema = z.strictObject({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  folder: z.string(),
  server: z
    .strictObject({
      ...processSchema,
      endpoint: loopbackUrl,
      /** The name of the directory that it serves. The directory is beside the record. */
      bucket: z.string(),
    })
    .optional(),
})
type ServerRecord = z.infer<typeof recordSchema>

/** The store of a directory that a server serves now. Returns undefined if no server serves it. */
export function servedStore(directory: string): ServedStore | undefined {
  const { server } = readProcessRecord(serverRecordPath(directory), recordSchema) ?? {}
  if (server?.bucket !== basename(directory) || !isRunning(server)) return undefined
  return new ServedStore(directory, server.endpoint)
}

/**
 * The access keys of the server of a directory. They are random and created on first use. Keys that
 * were copied from another directory are replaced.
 */
export function serverKeys(directory: string): Omit<ServerRecord, 'server'> {
  const path = serverRecordPath(directory)
  const { server: _, ...known } = readProcessRecord(path, recordSchema) ?? newKeys(path)
  return known
}

function newKeys(path: string): ServerRecord {
  const keys: ServerRecord = {
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(30).toString('base64url'),
    folder: recordFolder(path),
  }
  writeProcessRecord(path, keys)
  return keys
}

/**
 * Records that a server of this process serves the directory. Returns a function that withdraws the
 * record of the server and keeps the keys.
 */
export function publishServer(directory: string, endpoint: string): () => void {
  const keys = serverKeys(directory)
  const path = serverRecordPath(directory)
  const server = { endpoint, bucket: basename(directory), ...thisProcess() }
  const record: ServerRecord = { ...keys, server }
  writeProcessRecord(path, record)
  return () => {
    writeProcessRecord(path, keys)
  }
}

export const serverRecordPath = (directory: string) => join(dirname(directory), 's3.json')
