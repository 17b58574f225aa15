import { readFile } from 'node:fs/promises'
import { S3 } from '@aws-sdk/client-s3'
import type { S3Options } from './s3-options.ts'
import { retryStrategy } from './s3-retry.ts'

const clients = new Map<string, S3>()

/** The client for these options. A process has one client for each, which shares connections. */
export function s3Client(options: S3Options): S3 {
  const name = JSON.stringify(options)
  const client = clients.get(name) ?? makeClient(options)
  clients.set(name, client)
  return client
}

function makeClient(options: S3Options): S3 {
  const { endpoint, pathStyle, plainRequests, plainResponses, ownAttempts, credentialsFile } = options
  // The SDK warns of its coming versions. Users need no such warning: the version here is pinned.
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
      // A limit on silence, not on whole requests, which would fail on a slow connection.
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

/** The region of the environment or the profile, or else the given one. */
function regionOr(region: string): () => Promise<string> {
  return () =>
    new S3({}).config.region().catch((error: unknown) => {
      if (error instanceof Error && error.message.includes('Region is missing')) return region
      throw error
    })
}
