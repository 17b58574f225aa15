import { readFile } from 'node:fs/promises'
import { S3 } from '@aws-sdk/client-s3'
import type { S3Options } from './s3-options.ts'
import { retryStrategy } from './s3-retry.ts'

const clients = new Map<string, S3>()

/** The client of a server: one a process, so that its connections are shared. */
export function s3Client(options: S3Options): S3 {
  const name = JSON.stringify(options)
  const client = clients.get(name) ?? makeClient(options)
  clients.set(name, client)
  return client
}

function makeClient(options: S3Options): S3 {
  const { endpoint, pathStyle, plainRequests, plainResponses, ownAttempts, credentialsFile } = options
  // What the SDK says of coming versions of itself is no news to a user: its version here is pinned.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  return new S3({
    ...(endpoint === undefined ? {} : { endpoint, region: regionOr('us-east-1') }),
    ...(credentialsFile !== undefined && { credentials: keysIn(credentialsFile), region: 'us-east-1' }),
    forcePathStyle: pathStyle,
    followRegionRedirects: endpoint === undefined,
    ...(plainRequests && { requestChecksumCalculation: 'WHEN_REQUIRED' }),
    ...(plainResponses && { responseChecksumValidation: 'WHEN_REQUIRED' }),
    ...(ownAttempts ? {} : { retryStrategy: retryStrategy(6) }),
    requestHandler: {
      httpAgent: { keepAlive: true, maxSockets: 64 },
      httpsAgent: { keepAlive: true, maxSockets: 64 },
      connectionTimeout: 10_000,
      // A server that says nothing for so long hangs. A limit on whole requests would fail slow lines.
      socketTimeout: 20_000,
    },
  })
}

function keysIn(file: string) {
  return async () => {
    const { accessKeyId, secretAccessKey } = JSON.parse(await readFile(file, 'utf8')) as Record<
      string,
      string
    >
    return { accessKeyId: accessKeyId ?? '', secretAccessKey: secretAccessKey ?? '' }
  }
}

/** What the environment or the profile say, else the given one. */
function regionOr(region: string): () => Promise<string> {
  return () =>
    new S3({}).config.region().catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('Region is missing')) return region
      throw error
    })
}
