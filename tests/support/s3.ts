import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../../artifacts/store/open-store.ts'
import { ensureVersitygw } from '../../infra/versitygw.mjs'
import { type S3Credentials, startS3Server } from '../../stack/s3-server.ts'
import { freePort } from '../../host/free-port.ts'

export interface TestS3 {
  readonly endpoint: string
  readonly bucket: string
  /** The server's directory: `<directory>/<bucket>/<key>` is an object. */
  readonly directory: string
  readonly credentials: S3Credentials
  /** The environment variables with which a process reaches the server. */
  readonly env: Readonly<Record<string, string>>
  /** Kills the server; `start` brings it back at the same place with what it had. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its directory. */
  stop(): Promise<void>
}

/** A real S3 server over a directory of its own. */
export async function s3Server(): Promise<TestS3> {
  const versitygw = await ensureVersitygw()
  const directory = mkdtempSync(join(tmpdir(), 'zeroshift-s3-'))
  const port = await freePort()
  const credentials = {
    accessKeyId: randomBytes(10).toString('hex'),
    secretAccessKey: randomBytes(20).toString('hex'),
  }
  const root = join(directory, 'buckets')
  const bucket = 'zeroshift-test'
  const start = () =>
    startS3Server({
      ...{ versitygw, directory: root, bucket, port, credentials },
      log: join(directory, 'versitygw.log'),
    })
  let server = await start()
  const { endpoint } = server
  return {
    ...{ endpoint, bucket, directory: root, credentials },
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: 'us-east-1',
    },
    kill: () => server.stop(),
    async start() {
      server = await start()
    },
    async stop() {
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/**
 * An empty store in a bucket. ZEROSHIFT_TEST_S3_URL may name one, with its settings in
 * AWS_ENDPOINT_URL_S3 and similar variables. Otherwise a server is started and its settings are put
 * into the environment of this process.
 */
export async function s3Place(): Promise<{ url: string; server?: TestS3; stop(): Promise<void> }> {
  const given = process.env.ZEROSHIFT_TEST_S3_URL
  if (given) {
    const url = `${given.replace(/\/$/, '')}/${randomUUID()}`
    return { url, stop: () => emptied(url) }
  }
  const server = await s3Server()
  Object.assign(process.env, server.env)
  return { url: `s3://${server.bucket}/a/prefix`, server, stop: () => server.stop() }
}

async function emptied(url: string): Promise<void> {
  const store = openStore(url)
  for (const { path } of await store.list('')) await store.delete(path)
}
