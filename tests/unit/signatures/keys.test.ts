import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import {
  isSignature,
  newSigningKey,
  privateKeyIn,
  privatePem,
  publicKeyIn,
  publicPem,
  signatureInDer,
} from '../../../signatures/keys.ts'
import { signingKey } from '../../../signatures/setting.ts'
import { fileDirectory } from '../../support/directories.ts'

let directory: string
beforeAll(() => {
  directory = fileDirectory()
})

const at = (name: string) => join(directory, name)
const openssl = (...args: readonly string[]) =>
  execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })

/** Returns the file that `openssl` writes with these arguments before `-out FILE`. */
function written(name: string, ...args: readonly string[]): string {
  openssl(...args, '-out', at(name))
  return readFileSync(at(name), 'utf8')
}

const pkcs8 = (type: 'ed25519' | 'rsa' | 'ec', namedCurve?: string) => {
  const { privateKey, publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : type === 'ed25519'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('ec', { namedCurve: namedCurve ?? 'prime256v1' })
  return {
    privateText: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicText: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

test('a key has the SHA-256 of its SubjectPublicKeyInfo as its id, whoever wrote its file', () => {
  const key = newSigningKey()
  const der = Buffer.from(publicPem(key.publicKey).replaceAll(/-----[A-Z ]+-----|\n/g, ''), 'base64')
  expect(key.publicKey.id).toBe(createHash('sha256').update(der).digest('hex'))
  expect(privateKeyIn(privatePem(key), 'k').publicKey.id).toBe(key.publicKey.id)
  expect(publicKeyIn(publicPem(key.publicKey), 'k').id).toBe(key.publicKey.id)
})

test('keys of openssl are read: PKCS #8, SEC 1 in all its forms, and a compressed point', () => {
  const sec1 = written('sec1.pem', 'ecparam', '-name', 'prime256v1', '-genkey')
  expect(sec1).toContain('EC PARAMETERS')
  const bare = written('bare.pem', 'ec', '-in', at('sec1.pem'))
  const explicit = written('explicit.pem', 'ec', '-in', at('sec1.pem'), '-param_enc', 'explicit')
  expect(explicit.length).toBeGreaterThan(bare.length)
  const modern = written('modern.pem', 'pkcs8', '-topk8', '-nocrypt', '-in', at('sec1.pem'))
  const pub = written('pub.pem', 'pkey', '-in', at('sec1.pem'), '-pubout')
  const compressed = written(
    'compressed.pem',
    'ec',
    '-in',
    at('sec1.pem'),
    '-pubout',
    '-conv_form',
    'compressed',
  )
  expect(compressed.length).toBeLessThan(pub.length)
  const ids = [
    ...[sec1, bare, explicit, modern].map((pem) => privateKeyIn(pem, 'k').publicKey.id),
    ...[pub, compressed].map((pem) => publicKeyIn(pem, 'k').id),
  ]
  expect(new Set(ids).size).toBe(1)
  const der = openssl('pkey', '-in', at('sec1.pem'), '-pubout', '-outform', 'DER')
  expect(ids[0]).toBe(createHash('sha256').update(der).digest('hex'))
})

describe('a private key is refused', () => {
  const cases: readonly (readonly [string, () => string, RegExp])[] = [
    ['that is a public one', () => pkcs8('ec').publicText, /this is a public key; expected the private key/],
    [
      'on the curve P-384',
      () => pkcs8('ec', 'secp384r1').privateText,
      /an ECDSA key on the curve secp384r1; expected an ECDSA key on the curve P-256/,
    ],
    ['on the curve secp256k1', () => pkcs8('ec', 'secp256k1').privateText, /on the curve secp256k1/],
    ['of RSA', () => pkcs8('rsa').privateText, /a key of the type rsa; expected an ECDSA key/],
    ['of Ed25519', () => pkcs8('ed25519').privateText, /a key of the type ed25519; expected an ECDSA key/],
    [
      'that is encrypted, in PKCS #8',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 's3cret' } as const
        return privateKey.export(options).toString()
      },
      /encrypted with a passphrase; expected one without: `openssl pkey` decrypts it/,
    ],
    [
      'that is encrypted, in SEC 1',
      () => {
        const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
        const options = { type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 's3cret' } as const
        return privateKey.export(options).toString()
      },
      /encrypted with a passphrase/,
    ],
    ['that is empty', () => '', /this is no key in PEM/],
    ['that is no PEM', () => 'c2VjcmV0', /this is no key in PEM/],
    ['that is cut off', () => privatePem(newSigningKey()).slice(0, 100), /this key cannot be decoded/],
    [
      'with another beside it',
      () => privatePem(newSigningKey()) + privatePem(newSigningKey()),
      /this has 2 keys or certificates; expected one key/,
    ],
    [
      'whose public part is of another key',
      () => {
        const [one, other] = [newSigningKey(), newSigningKey()].map(({ privateKey }) =>
          privateKey.export({ type: 'sec1', format: 'der' }),
        )
        if (!one || !other) throw new Error('expected two keys')
        // Both have the private part first, and end in a public point of 65 bytes.
        const mixed = Buffer.concat([one.subarray(0, -65), other.subarray(-65)]).toString('base64')
        return `-----BEGIN EC PRIVATE KEY-----\n${mixed}\n-----END EC PRIVATE KEY-----\n`
      },
      /public part of this key is not that of its private part|cannot be decoded/,
    ],
  ]
  test.each(cases)('%s', (_, pem, message) => {
    const text = pem()
    const read = () => privateKeyIn(text, 'the key')
    expect(read).toThrow(UserError)
    expect(read).toThrow(message)
    expect(read).toThrow(/^the key: /)
    const secret = text.split('\n')[2] ?? ''
    if (secret.length > 8) expect(read).not.toThrow(new RegExp(secret.replaceAll(/[+/]/g, '\\$&')))
  })
})

describe('a public key is refused', () => {
  test.each([
    [
      'that is a private one',
      () => pkcs8('ec').privateText,
      /this is a private key; expected the public key/,
    ],
    ['on another curve', () => pkcs8('ec', 'secp384r1').publicText, /on the curve secp384r1/],
    ['of RSA', () => pkcs8('rsa').publicText, /a key of the type rsa/],
    ['of Ed25519', () => pkcs8('ed25519').publicText, /a key of the type ed25519/],
    ['that is a certificate', () => '-----BEGIN CERTIFICATE-----\nAA==\n', /this is a certificate/],
    [
      'that is no point of the curve',
      () => {
        const der = Buffer.from(
          publicPem(newSigningKey().publicKey).replaceAll(/-----[A-Z ]+-----|\n/g, ''),
          'base64',
        )
        der[der.length - 1] = (der.at(-1) ?? 0) ^ 1
        return `-----BEGIN PUBLIC KEY-----\n${der.toString('base64')}\n-----END PUBLIC KEY-----\n`
      },
      /this key cannot be decoded/,
    ],
  ])('%s', (_, pem, message) => {
    const text = pem()
    expect(() => publicKeyIn(text, 'the key')).toThrow(UserError)
    expect(() => publicKeyIn(text, 'the key')).toThrow(message)
  })
})

test('the setting names a key or its file, and a message says which', () => {
  const key = newSigningKey()
  expect(signingKey({})).toBeUndefined()
  expect(signingKey({ ZEROSHIFT_SIGNING_KEY: privatePem(key) })?.publicKey.id).toBe(key.publicKey.id)
  expect(() => signingKey({ ZEROSHIFT_SIGNING_KEY: publicPem(key.publicKey) })).toThrow(
    /^ZEROSHIFT_SIGNING_KEY: this is a public key/,
  )
  openssl('genpkey', '-algorithm', 'ed25519', '-out', at('ed.pem'))
  expect(() => signingKey({ ZEROSHIFT_SIGNING_KEY_FILE: at('ed.pem') })).toThrow(
    /^ZEROSHIFT_SIGNING_KEY_FILE names .*ed\.pem: this is a key of the type ed25519/,
  )
  expect(() => signingKey({ ZEROSHIFT_SIGNING_KEY_FILE: at('none') })).toThrow(/none, which is missing/)
})

test('a signature as the bytes of r and s is converted to DER, also if their first bytes are zero', () => {
  const { privateKey, publicKey } = newSigningKey()
  const other = newSigningKey().publicKey
  let short = 0
  for (let i = 0; i < 100 || short === 0; i++) {
    const message = Buffer.from(`message ${i}`)
    const bare = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    if (bare[0] === 0 || bare[32] === 0) short++
    const der = signatureInDer(bare, message, publicKey)
    expect(der && isSignature(message, der, publicKey)).toBe(true)
    expect(der && signatureInDer(der, message, publicKey)).toEqual(der)
    expect(signatureInDer(bare, message, other)).toBeUndefined()
  }
})
