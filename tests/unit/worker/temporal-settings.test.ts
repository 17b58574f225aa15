import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import { temporalSettings } from '../../../worker/temporal-settings.ts'
import { authority, openssl, type Certificate } from '../../support/certificates.ts'
import { fileDirectory } from '../../support/directories.ts'

const why = openssl === undefined ? ' (skipped without openssl)' : ''
const address = 'temporal.example.org:7233'
const T = 'ZEROSHIFT_TEMPORAL_TLS'

let directory: string
let ca: string
let ours: Certificate
let other: Certificate
beforeAll(() => {
  directory = fileDirectory()
  if (openssl === undefined) return
  const signer = authority(directory, 'ca')
  ca = signer.certificate
  ours = signer.sign('ours')
  other = signer.sign('other')
  writeFileSync(join(directory, 'text'), 'no PEM')
})

describe('a connection', () => {
  test('is plain and to the namespace default unless the environment says otherwise', () => {
    expect(temporalSettings(address, {})).toEqual({ address })
    expect(temporalSettings(address, { [T]: '0', TEMPORAL_NAMESPACE: 'ours' })).toEqual({
      address,
      namespace: 'ours',
    })
  })

  test('is encrypted where it is asked for, or where anything of TLS is named', () => {
    expect(temporalSettings(address, { [T]: '1' })).toEqual({ address, tls: {} })
    expect(temporalSettings(address, { [`${T}_SERVER_NAME`]: 'a.b' }).tls).toEqual({
      serverNameOverride: 'a.b',
    })
  })

  test.skipIf(why)(`shows a certificate where one is named${why}`, () => {
    const env = {
      [`${T}_CA_FILE`]: ca,
      [`${T}_CERT_FILE`]: ours.certificate,
      [`${T}_KEY_FILE`]: ours.key,
    }
    expect(temporalSettings(address, env).tls).toEqual({
      serverRootCACertificate: readFileSync(ca),
      clientCertPair: { crt: readFileSync(ours.certificate), key: readFileSync(ours.key) },
    })
  })

  test('carries an API key, from a file too, where nobody else can read it', () => {
    writeFileSync(join(directory, 'key'), 'abc\n')
    const named = { ZEROSHIFT_TEMPORAL_API_KEY_FILE: join(directory, 'key') }
    expect(temporalSettings(address, { ...named, [T]: '1' })).toEqual({ address, tls: {}, apiKey: 'abc' })
    for (const here of ['127.0.0.1:7233', 'localhost:7233', '[::1]:7233'])
      expect(temporalSettings(here, named)).toEqual({ address: here, apiKey: 'abc' })
    for (const elsewhere of [address, '127.0.0.1.example.org:7233', '10.0.0.1:7233'])
      expect(() => temporalSettings(elsewhere, named)).toThrow(
        /is not encrypted, for all to read; set ZEROSHIFT_TEMPORAL_TLS to 1/,
      )
  })
})

describe('refused before anything is connected', () => {
  const cases: readonly (readonly [string, () => NodeJS.ProcessEnv, RegExp])[] = [
    ['a word for on that means nothing', () => ({ [T]: 'yes please' }), /expected 1 or 0/],
    ['TLS that is off and described', () => ({ [T]: '0', [`${T}_SERVER_NAME`]: 'x' }), /unset the other/],
    [
      'a file that is not there',
      () => ({ [`${T}_CA_FILE`]: '/no/such' }),
      /_CA_FILE names \/no\/such, which is missing/,
    ],
    [
      'a file without a certificate',
      () => ({ [`${T}_CA_FILE`]: join(directory, 'text') }),
      /holds no certificate/,
    ],
    [
      'a certificate without its key',
      () => ({ [`${T}_CERT_FILE`]: ours.certificate }),
      /is set without ZEROSHIFT_TEMPORAL_TLS_KEY_FILE/,
    ],
    [
      'a key without its certificate',
      () => ({ [`${T}_KEY_FILE`]: ours.key }),
      /is set without ZEROSHIFT_TEMPORAL_TLS_CERT_FILE/,
    ],
    [
      'the key of another certificate',
      () => ({ [`${T}_CERT_FILE`]: ours.certificate, [`${T}_KEY_FILE`]: other.key }),
      /is not that of the certificate/,
    ],
    ['a key of two lines', () => ({ [T]: '1', ZEROSHIFT_TEMPORAL_API_KEY: 'se\ncret' }), /no API key has/],
  ]
  test.skipIf(why).each(cases)(`%s${why}`, (_, env, message) => {
    const read = () => temporalSettings(address, env())
    expect(read).toThrow(UserError)
    expect(read).toThrow(message)
    expect(read).not.toThrow(/cret/)
  })
})
