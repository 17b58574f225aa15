import { UserError } from '../../common/errors.ts'

/**
 * A failure as the server or the SDK reports it. It holds no part of the request, whose headers can
 * hold credentials.
 */
export interface S3Failure {
  readonly code: string
  readonly status: number | undefined
  readonly message: string
}

export function s3Failure(error: unknown): S3Failure {
  if (!(error instanceof Error)) return { code: 'Error', status: undefined, message: String(error) }
  const { $metadata, code } = error as { $metadata?: { httpStatusCode?: number }; code?: unknown }
  const status = $metadata?.httpStatusCode
  // A response without a body has no error code, only a status.
  const isBare = status !== undefined && /^(unknown|unknownerror|\d+|error)$/i.test(error.name)
  return {
    code: isBare ? String(status) : status === undefined && typeof code === 'string' ? code : error.name,
    status,
    message: /^unknown(error)?$/i.test(error.message) ? '' : error.message,
  }
}

/**
 * The error for a failed request. It is a UserError if the same request will fail until the user
 * changes something, and otherwise a plain Error. It has no `cause` on purpose, because the
 * original error carries the signature and the key of the request.
 *
 * @param what the operation, such as "read s3://bucket/object"
 * @param server the origin of the server
 */
export function s3Error(error: unknown, what: string, server: string): Error {
  const failure = s3Failure(error)
  const advice = adviceOn(failure)
  if (advice) return new UserError(`cannot ${what} on ${server}: ${advice}`)
  const { code, status, message } = failure
  const said = oneLine(message) || 'no reason given'
  if (status !== undefined)
    return new Error(`cannot ${what}: ${server} answered ${status} (${code}: ${said})`)
  return new Error(
    isNetwork(error)
      ? `cannot ${what}: ${server} does not answer (${code}: ${said})`
      : `cannot ${what} on ${server}: ${said}`,
  )
}

/** Whether an error is a failed system call of Node or a time-out of the SDK. */
function isNetwork(error: unknown): boolean {
  return (
    error instanceof Error &&
    ('syscall' in error || 'errno' in error || 'code' in error || error.name === 'TimeoutError')
  )
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

function adviceOn({ code, status, message }: S3Failure): string | undefined {
  switch (code) {
    case 'NoSuchBucket':
      return 'there is no such bucket; make it, or name another one as the store'
    case 'InvalidBucketName':
      return 'that is no name for a bucket; expected 3 to 63 lower-case letters, digits, dots and dashes'
    case 'InvalidAccessKeyId':
    case 'XAdminUserNotFound': // the name in versitygw
      return 'it does not know the access key id; set AWS_ACCESS_KEY_ID, or AWS_PROFILE, to one that it knows'
    case 'SignatureDoesNotMatch':
      return 'the signature is wrong; the secret access key (AWS_SECRET_ACCESS_KEY) does not belong to the access key id, or a proxy changes requests'
    case 'InvalidToken':
      return 'the session token is wrong; get new credentials, or unset AWS_SESSION_TOKEN where they need none'
    case 'CredentialsProviderError':
      return `no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`
    case 'AuthorizationHeaderMalformed':
    case 'PermanentRedirect':
    case 'IllegalLocationConstraintException':
      return 'the bucket is in another region; set AWS_REGION to it'
    case 'NotImplemented':
      return 'the server lacks an operation that a store needs, most likely conditional writes (If-None-Match)'
    case 'KMS.NotFoundException':
    case 'KMS.DisabledException':
      return 'the key of ZEROSHIFT_S3_SSE_KMS_KEY_ID is not there or disabled; name another one'
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'RequestTimeTooSkewed':
      // A retry may succeed: a provider renews credentials, and clocks are corrected.
      return undefined
  }
  if (message.includes('Region is missing')) return 'no region is set; set AWS_REGION to the bucket’s region'
  if (status === 403)
    return 'access is denied; allow s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket and s3:AbortMultipartUpload on the bucket, or use other credentials'
  return undefined
}
