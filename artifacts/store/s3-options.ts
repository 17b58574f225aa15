import { UserError } from '../../common/errors.ts'

/** What the SDK does not read from the environment itself. */
export interface S3Options {
  /** A server other than Amazon's: an origin, perhaps with a path. */
  readonly endpoint?: string
  /** The bucket is a part of the path, not of the host's name. */
  readonly pathStyle: boolean
  /** Leaves out the checksums that only Amazon's server is sure to know; the user's own choice goes first. */
  readonly plainRequests: boolean
  readonly plainResponses: boolean
  /** The SDK's retries are on its own setting, AWS_MAX_ATTEMPTS. */
  readonly ownAttempts: boolean
  /** JSON with `accessKeyId` and `secretAccessKey`, in place of the SDK's credential chain. */
  readonly credentialsFile?: string
  readonly encryption: {
    readonly ServerSideEncryption?: 'AES256' | 'aws:kms'
    readonly SSEKMSKeyId?: string
  }
}

/**
 * An S3 store's settings, all from the environment:
 *
 *     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, …   the SDK's credential chain
 *     AWS_REGION                            the bucket's region; us-east-1 for an endpoint where none is set
 *     AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL a server other than Amazon's, such as http://127.0.0.1:9000
 *     AWS_REQUEST_CHECKSUM_CALCULATION, AWS_RESPONSE_CHECKSUM_VALIDATION
 *                                           WHEN_REQUIRED for an endpoint unless set, since many servers refuse the SDK's CRC32
 *     AWS_MAX_ATTEMPTS                      of one request; 6 unless set
 *     ZEROSHIFT_S3_PATH_STYLE               1 or 0: the bucket in the path or in the host's name; 1 for an endpoint unless set
 *     ZEROSHIFT_S3_SSE                      AES256 or aws:kms: encryption by the server
 *     ZEROSHIFT_S3_SSE_KMS_KEY_ID           the key for aws:kms; the bucket's default key unless set
 *
 * Throws a UserError where one is wrong. What it answers holds no secret.
 */
export function s3Options(env: NodeJS.ProcessEnv = process.env): S3Options {
  const endpoint = endpointOf(env)
  const isCustom = endpoint !== undefined
  return {
    ...(isCustom && { endpoint }),
    pathStyle: flag(env, 'ZEROSHIFT_S3_PATH_STYLE') ?? isCustom,
    plainRequests: isCustom && !env.AWS_REQUEST_CHECKSUM_CALCULATION,
    plainResponses: isCustom && !env.AWS_RESPONSE_CHECKSUM_VALIDATION,
    ownAttempts: Boolean(env.AWS_MAX_ATTEMPTS),
    encryption: encryptionOf(env),
  }
}

function endpointOf(env: NodeJS.ProcessEnv): string | undefined {
  const name = env.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL'
  const value = env[name]
  if (!value) return undefined
  // The value itself is not shown: it may hold what should not be seen.
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw new UserError(`${name} is not a URL of a server; expected one such as https://s3.example.org`)
  if (url.username || url.password)
    throw new UserError(
      `${name} holds credentials; expected none there: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    )
  return value
}

function flag(env: NodeJS.ProcessEnv, name: string): boolean | undefined {
  const value = env[name]
  if (!value) return undefined
  if (value === '1' || value === 'true') return true
  if (value === '0' || value === 'false') return false
  throw new UserError(`${name} is "${value}"; expected 1 or 0`)
}

function encryptionOf(env: NodeJS.ProcessEnv): S3Options['encryption'] {
  const { ZEROSHIFT_S3_SSE: kind, ZEROSHIFT_S3_SSE_KMS_KEY_ID: key } = env
  if (key && kind !== 'aws:kms')
    throw new UserError(
      'ZEROSHIFT_S3_SSE_KMS_KEY_ID names a key, which is for aws:kms alone; set ZEROSHIFT_S3_SSE to aws:kms, or unset the key',
    )
  if (!kind) return {}
  if (kind !== 'AES256' && kind !== 'aws:kms')
    throw new UserError(`ZEROSHIFT_S3_SSE is "${kind}"; expected AES256 or aws:kms`)
  return { ServerSideEncryption: kind, ...(key && { SSEKMSKeyId: key }) }
}
