import { describe, expect, test } from 'vitest'
import { s3Error } from '../../../../artifacts/store/s3-errors.ts'
import { s3Options } from '../../../../artifacts/store/s3-options.ts'
import { UserError } from '../../../../common/errors.ts'

describe('settings', () => {
  test('Amazon’s server is asked as the SDK does it', () => {
    expect(s3Options({})).toEqual({
      ...{ pathStyle: false, plainRequests: false, plainResponses: false, ownAttempts: false },
      encryption: {},
    })
  })

  test('another server is asked by path and without CRC32, unless the user says otherwise', () => {
    const endpoint = 'http://127.0.0.1:9000'
    expect(s3Options({ AWS_ENDPOINT_URL: 'http://unused', AWS_ENDPOINT_URL_S3: endpoint })).toMatchObject({
      ...{ endpoint, pathStyle: true, plainRequests: true, plainResponses: true },
    })
    expect(
      s3Options({
        AWS_ENDPOINT_URL: endpoint,
        AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
        AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_SUPPORTED',
        AWS_MAX_ATTEMPTS: '9',
        ZEROSHIFT_S3_PATH_STYLE: '0',
      }),
    ).toMatchObject({
      ...{ endpoint, pathStyle: false, plainRequests: false, plainResponses: false, ownAttempts: true },
    })
  })

  test('encryption by the server', () => {
    expect(s3Options({ ZEROSHIFT_S3_SSE: 'AES256' }).encryption).toEqual({ ServerSideEncryption: 'AES256' })
    expect(s3Options({ ZEROSHIFT_S3_SSE: 'aws:kms', ZEROSHIFT_S3_SSE_KMS_KEY_ID: 'key' }).encryption).toEqual(
      {
        ...{ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'key' },
      },
    )
  })

  test.each([
    [{ ZEROSHIFT_S3_SSE: 'rot13' }, 'expected AES256 or aws:kms'],
    [{ ZEROSHIFT_S3_SSE: 'AES256', ZEROSHIFT_S3_SSE_KMS_KEY_ID: 'key' }, 'for aws:kms alone'],
    [{ ZEROSHIFT_S3_PATH_STYLE: 'perhaps' }, 'expected 1 or 0'],
    [{ AWS_ENDPOINT_URL: 'localhost:9000' }, 'is not a URL of a server'],
    [{ AWS_ENDPOINT_URL_S3: 'http://key:hidden@localhost' }, /^(?!.*hidden).*holds credentials/],
  ])('%o is refused', (env, message) => {
    expect(() => s3Options(env)).toThrow(UserError)
    expect(() => s3Options(env)).toThrow(message)
  })
})

describe('errors', () => {
  const answered = (name: string, status: number, message = 'because') =>
    Object.assign(new Error(message), {
      name,
      $metadata: { httpStatusCode: status },
      AWSAccessKeyId: 'hidden',
    })
  const told = (error: unknown) => s3Error(error, 'read s3://b/o', 'https://server')

  test.each([
    [answered('NoSuchBucket', 404), 'there is no such bucket'],
    [answered('AccessDenied', 403), 'access is denied'],
    [answered('UnknownError', 403), 'access is denied'],
    [answered('InvalidAccessKeyId', 403), 'does not know the access key id'],
    [answered('SignatureDoesNotMatch', 403), 'AWS_SECRET_ACCESS_KEY'],
    [answered('PermanentRedirect', 301), 'set AWS_REGION'],
    [answered('NotImplemented', 501), 'If-None-Match'],
    [Object.assign(new Error('none'), { name: 'CredentialsProviderError' }), 'no credentials were found'],
    [new Error('Region is missing'), 'set AWS_REGION'],
  ])('%s is the user’s', (error, advice) => {
    expect(told(error)).toBeInstanceOf(UserError)
    expect(told(error).message).toMatch(/^cannot read s3:\/\/b\/o on https:\/\/server: /)
    expect(told(error).message).toContain(advice)
  })

  test.each([
    [answered('ExpiredToken', 400), 'answered 400 (ExpiredToken: because)'],
    [answered('ExpiredToken', 403), 'answered 403 (ExpiredToken: because)'],
    [answered('RequestTimeTooSkewed', 403), 'answered 403'],
    [answered('SlowDown', 503, 'two\n lines'), 'answered 503 (SlowDown: two lines)'],
    [answered('UnknownError', 500, 'UnknownError'), 'answered 500 (500: no reason given)'],
    [
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      'does not answer (ECONNREFUSED: refused)',
    ],
    [Object.assign(new Error('slow'), { name: 'TimeoutError' }), 'does not answer (TimeoutError: slow)'],
  ])('%s is the world’s', (error, reason) => {
    expect(told(error)).not.toBeInstanceOf(UserError)
    expect(told(error).message).toContain('cannot read s3://b/o')
    expect(told(error).message).toContain(reason)
  })

  test('the original, which holds the key and the signature, is left behind', () => {
    const error = told(answered('SlowDown', 503))
    expect(error.cause).toBeUndefined()
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hidden')
  })
})
