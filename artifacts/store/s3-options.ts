import { UserError } from '../../common/errors.ts'

/** The settings of a store in S3 that the SDK does not read from the environment itself. */
export interface S3Options {
  /** The URL of a server other than Amazon's. It may have a path. */
  readonly endpoint?: string
  /** Whether the bucket is a part of the path, not of the host name. */
  readonly pathStyle: boolean
  /** Whether to leave out the checksums of requests, which only Amazon's server surely supports. */
  readonly plainRequests: boolean
  /** Whether to leave out the check of checksums in responses. */
  readonly plainResponses: boolean
  /** Whether the SDK retries by its own setting, AWS_MAX_ATTEMPTS. */
  readonly ownAttempts: boolean
  /**
   * A JSON file with `accessKeyId` and `secretAccessKey`, instead of the SDK's credential chain.
   */
  readonly credentialsFile?: string
  readonly encryption: {
    readonly ServerSideEncryption?: 'AES256' | 'aws:kms'
    readonly SSEKMSKeyId?: string
  }
}

/**
 * The settings of a store in S3, all from the environment. The values contain no secret. Throws a
 * UserError for a wrong setting.
 *
 *     AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE, …
 *         the credential chain of the SDK
 *     AWS_REGION
 *         the region of the bucket; without it us-east-1, if an endpoint is set
 *     AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL
 *         a server other than Amazon's, such as http://127.0.0.1:9000
 *     AWS_REQUEST_CHECKSUM_CALCULATION, AWS_RESPONSE_CHECKSUM_VALIDATION
 *         WHEN_REQUIRED by default if an endpoint is set, since many servers refuse the SDK's CRC32
 *     AWS_MAX_ATTEMPTS
 *         the attempts of one request; 6 by default
 *     ZEROSHIFT_S3_PATH_STYLE
 *         1 for the bucket in the path, 0 for the bucket in the host name; 1 by default if an
 *         endpoint is set
 *     ZEROSHIFT_S3_SSE
 *         encryption by the server: AES256 or aws:kms
 *     ZEROSHIFT_S3_SSE_KMS_KEY_ID
 *         the key for aws:kms; without it the default key of the bucket
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
  // The value itself is not shown, because it may hold a secret.
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
