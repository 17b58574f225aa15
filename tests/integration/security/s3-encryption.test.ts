import { beforeAll, expect, test } from 'vitest'
import { s3Options } from '../../../artifacts/store/s3-options.ts'
import { S3Store } from '../../../artifacts/store/s3-store.ts'
import { forFile } from '../../support/release.ts'
import { pattern } from '../../support/store-behaviour.ts'
import { s3Proxy, type AskedRequest } from '../../support/s3-proxy.ts'
import { s3Server, type TestS3 } from '../../support/s3.ts'

let server: TestS3
beforeAll(async () => {
  server = await forFile(s3Server())
})

const KEY = 'arn:aws:kms:eu-central-1:1:key/abc'
const encryption = {
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': KEY,
}

/**
 * The test server has no KMS. The proxy removes the headers, after it has seen what would be sent
 * to Amazon.
 */
test('every request that begins an object asks for encryption by the KMS key (as sent: no server here has a KMS)', async () => {
  const seen: AskedRequest[] = []
  const proxy = await s3Proxy(server.endpoint, (asked) => {
    seen.push(asked)
    return {}
  })
  Object.assign(process.env, server.env)
  const options = s3Options({
    AWS_ENDPOINT_URL_S3: proxy.url,
    ZEROSHIFT_S3_SSE: 'aws:kms',
    ZEROSHIFT_S3_SSE_KMS_KEY_ID: KEY,
  })
  try {
    const store = new S3Store(server.bucket, 'encrypted', options)
    await store.put('put', pattern(10, 1))
    expect(await store.putIfAbsent('absent', pattern(10, 2))).toBe(true)
    expect(await store.putIfAbsent('absent', pattern(10, 3))).toBe(false)
    await store.put('parts', pattern(17_000_000, 4))
    expect(await store.putIfAbsent('absent parts', pattern(17_000_000, 5))).toBe(true)
    expect(pattern(17_000_000, 4).equals((await store.get('parts')) ?? new Uint8Array())).toBe(true)
  } finally {
    await proxy.close()
  }
  const begins = seen.filter(
    ({ method, url }) =>
      (method === 'PUT' && !url.includes('partNumber')) || (method === 'POST' && /[?&]uploads/.test(url)),
  )
  expect(begins.map(({ method }) => method).sort()).toEqual(['POST', 'POST', 'PUT', 'PUT', 'PUT'])
  for (const { headers } of begins) expect(headers).toMatchObject(encryption)
  // A part is encrypted as its upload began, and a request to read must not name a key.
  for (const { headers } of seen.filter((asked) => !begins.includes(asked)))
    expect(Object.keys(headers)).not.toContain('x-amz-server-side-encryption')
})
