import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { startGuarded, untilAnswers, type GuardedProcess } from './server.ts'

export interface S3ServerOptions {
  /** Path of `versitygw`. */
  readonly versitygw: string
  /**
   * The directory whose folders are the buckets, and whose files are the objects. Created if it is
   * missing.
   */
  readonly directory: string
  readonly bucket: string
  readonly port: number
  readonly credentials: S3Credentials
  readonly log: string
}

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

export interface S3Server extends GuardedProcess {
  /** For AWS_ENDPOINT_URL_S3. */
  readonly endpoint: string
}

const START_MS = 20_000

/**
 * Starts an S3 server over a directory, which must be on a file system with extended attributes.
 * Only this machine can reach the server, and it ends with this process. Resolves when the server
 * answers.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { versitygw, directory, bucket, port, credentials, log } = options
  mkdirSync(join(directory, bucket), { recursive: true })
  const address = `127.0.0.1:${port}`
  const server = startGuarded({
    program: versitygw,
    args: ['--port', address, '--health', '/health', '--keep-alive', '--quiet', 'posix', directory],
    env: { ROOT_ACCESS_KEY: credentials.accessKeyId, ROOT_SECRET_KEY: credentials.secretAccessKey },
    log,
  })
  const endpoint = `http://${address}`
  await untilAnswers(server, {
    url: `${endpoint}/health`,
    what: 'the S3 server',
    log,
    withinMs: START_MS,
    everyMs: 20,
  })
  return { ...server, endpoint }
}
