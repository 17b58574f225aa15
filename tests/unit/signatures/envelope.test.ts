import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { UserError } from '../../../common/errors.ts'
import {
  MOST_ENVELOPE_BYTES,
  preAuthenticationEncoding,
  readEnvelope,
  signedEnvelope,
  signersOf,
} from '../../../signatures/envelope.ts'
import {
  newSigningKey,
  privatePem,
  publicKeyIn,
  publicPem,
  type PublicKey,
} from '../../../signatures/keys.ts'
import { fileDirectory } from '../../support/directories.ts'

type Json = Record<string, unknown>

const TYPE = 'application/vnd.example+json'
/** The order of the curve P-256. */
const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

let directory: string
beforeAll(() => {
  directory = fileDirectory()
})

const signer = newSigningKey()
const [key] = [signer.publicKey]
const read = (text: string, type = TYPE) => readEnvelope(text, type, 'e.json')
const signers = (text: string, keys: readonly PublicKey[] = [key], type = TYPE) =>
  signersOf(read(text, type), keys)
const none = { valid: [], invalid: [], unknown: [] }

/** An integer of DER. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  const padded = (bytes[0] ?? 0) > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes
  return Buffer.concat([Buffer.of(2, padded.length), padded])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.of(0x30, body.length), body])
}

const der = (r: bigint, s: bigint) => sequence(integer(r), integer(s))

/** r and s of a signature in DER. */
function parts(signature: Buffer): { readonly r: bigint; readonly s: bigint } {
  const length = signature[3] ?? 0
  const value = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)
  return { r: value(signature.subarray(4, 4 + length)), s: value(signature.subarray(6 + length)) }
}

describe("the specification's test vector", () => {
  // https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, "Test Vectors".
  const type = 'http://example.com/HelloWorld'
  const raw = Buffer.from(
    'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
    'base64',
  )
  const coordinate = (decimal: string) =>
    Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: coordinate('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
    y: coordinate('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
  }
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString()
  const theirs = publicKeyIn(pem, 'k')

  test('has the same pre-authentication encoding', () => {
    expect(preAuthenticationEncoding(type, Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
    // Lengths are those of bytes.
    expect(preAuthenticationEncoding('é', Buffer.of()).toString()).toBe('DSSEv1 2 é 0 ')
  })

  test('is verified, with its signature in DER', () => {
    const value = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`)
    const sig = der(value(raw.subarray(0, 32)), value(raw.subarray(32))).toString('base64')
    const text = JSON.stringify({ payload: 'aGVsbG8gd29ybGQ=', payloadType: type, signatures: [{ sig }] })
    expect(signers(text, [theirs], type)).toEqual({ ...none, valid: [theirs.id] })
    expect(signers(text, [key, theirs], type)).toEqual({ ...none, valid: [theirs.id] })
    // Without an id, a key that does not verify it may not be the one.
    expect(signers(text, [key], type)).toEqual({ ...none, unknown: [''] })
  })

  test('is not verified in the raw encoding that the vector has', () => {
    const signature = { sig: raw.toString('base64'), keyid: theirs.id }
    const text = JSON.stringify({ payload: 'aGVsbG8gd29ybGQ=', payloadType: type, signatures: [signature] })
    expect(signers(text, [theirs], type)).toEqual({ ...none, invalid: [theirs.id] })
  })
})

describe('with the openssl command', () => {
  const at = (name: string) => join(directory, name)
  const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' }).toString()
  const payload = Buffer.from('{"a":1}')

  test('it verifies a signature of this code', () => {
    writeFileSync(at('pub.pem'), publicPem(key))
    writeFileSync(at('message'), preAuthenticationEncoding(TYPE, payload))
    const [signature] = read(signedEnvelope(TYPE, payload, signer)).signatures
    writeFileSync(at('signature'), signature?.sig ?? '')
    const verified = () =>
      openssl('dgst', '-sha256', '-verify', at('pub.pem'), '-signature', at('signature'), at('message'))
    expect(verified()).toMatch(/Verified OK/)
    writeFileSync(at('message'), preAuthenticationEncoding(TYPE, Buffer.from('{"a":2}')))
    expect(verified).toThrow()
  })

  test('this code verifies a signature of it', () => {
    writeFileSync(at('key.pem'), privatePem(signer))
    writeFileSync(at('message'), preAuthenticationEncoding(TYPE, payload))
    openssl('dgst', '-sha256', '-sign', at('key.pem'), '-out', at('signature'), at('message'))
    const sig = readFileSync(at('signature')).toString('base64')
    const envelope = {
      payload: payload.toString('base64'),
      payloadType: TYPE,
      signatures: [{ keyid: key.id, sig }],
    }
    expect(signers(JSON.stringify(envelope))).toEqual({ ...none, valid: [key.id] })
  })
})

const signed = JSON.parse(signedEnvelope(TYPE, Buffer.from('{"a":1}'), signer)) as {
  payload: string
  signatures: [{ keyid: string; sig: string; spki: string }]
}
const [signature] = signed.signatures

test('an envelope is one line, and its own key verifies it: other keys do not', () => {
  const text = signedEnvelope(TYPE, Buffer.from('{"a":1}'), signer)
  expect(text).toMatch(/^\{[^\n]+\}\n$/)
  expect(signers(text, [])).toEqual({ ...none, valid: [key.id] })
  const { keyid, sig } = signature
  const bare = JSON.stringify({ ...signed, signatures: [{ keyid, sig }] })
  expect(signers(bare, [])).toEqual({ ...none, unknown: [key.id] })
  expect(signers(bare, [newSigningKey().publicKey])).toEqual({ ...none, unknown: [key.id] })
})

test('several signatures are verified one by one', () => {
  const other = newSigningKey()
  const [theirs] = (JSON.parse(signedEnvelope(TYPE, Buffer.from('{"a":1}'), other)) as typeof signed)
    .signatures
  const both = { ...signed, signatures: [signature, theirs] }
  expect(signers(JSON.stringify(both))).toEqual({ ...none, valid: [key.id, other.publicKey.id] })
  const swapped = { ...signed, signatures: [signature, { ...theirs, sig: signature.sig }] }
  expect(signers(JSON.stringify(swapped))).toEqual({
    ...none,
    valid: [key.id],
    invalid: [other.publicKey.id],
  })
})

describe('encodings of one signature', () => {
  const original = Buffer.from(signature.sig, 'base64')
  const { r, s } = parts(original)
  const withSig = (sig: Buffer) =>
    JSON.stringify({ ...signed, signatures: [{ keyid: key.id, sig: sig.toString('base64') }] })

  test('the other value of s verifies as well, as with other tools', () => {
    expect(der(r, s)).toEqual(original)
    expect(signers(withSig(der(r, ORDER - s)))).toEqual({ ...none, valid: [key.id] })
  })

  test.each([
    ['r = 0', der(0n, s)],
    ['s = 0', der(r, 0n)],
    ['r = n', der(ORDER, s)],
    ['s = n', der(r, ORDER)],
    ['r + n', der(r + ORDER, s)],
    ['s + n', der(r, s + ORDER)],
    ['r and s swapped', der(s, r)],
    ['a negative r', sequence(Buffer.of(2, 1, 0xff), integer(s))],
    ['a zero before r', sequence(Buffer.of(2, 34, 0, 0, ...integer(r).subarray(-32)), integer(s))],
    ['a byte after it', Buffer.concat([original, Buffer.of(0)])],
    ['a byte in the sequence after s', sequence(integer(r), integer(s), Buffer.of(5, 0))],
    ['a length in the long form', Buffer.concat([Buffer.of(0x30, 0x81), original.subarray(1)])],
    ['an indefinite length', Buffer.concat([Buffer.of(0x30, 0x80), original.subarray(2), Buffer.of(0, 0)])],
    ['only r', sequence(integer(r))],
    ['the raw form', Buffer.from(r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0'), 'hex')],
    ['one byte', Buffer.of(0)],
  ])('%s does not', (_, sig) => {
    expect(signers(withSig(sig))).toEqual({ ...none, invalid: [key.id] })
  })
})

describe('a malformed envelope is refused', () => {
  const one = (changes: Json) => JSON.stringify({ ...signed, signatures: [{ ...signature, ...changes }] })
  test.each([
    ['no JSON', '{"payload"', /no DSSE envelope/],
    ['a list', '[]', /no DSSE envelope/],
    ['no payload', JSON.stringify({ ...signed, payload: undefined }), /payload: /],
    ['a payload that is no text', JSON.stringify({ ...signed, payload: 1 }), /payload: /],
    [
      'another payloadType',
      JSON.stringify({ ...signed, payloadType: 'text/plain' }),
      /"text\/plain"; expected "appl/,
    ],
    [
      'a payloadType that is longer than any',
      JSON.stringify({ ...signed, payloadType: 'a'.repeat(257) }),
      /payloadType: /,
    ],
    ['no signatures', JSON.stringify({ ...signed, signatures: [] }), /signatures: /],
    ['17 signatures', JSON.stringify({ ...signed, signatures: Array(17).fill(signature) }), /signatures: /],
    [
      'two by one key',
      JSON.stringify({ ...signed, signatures: [signature, signature] }),
      /two signatures by the key/,
    ],
    ['no sig', one({ sig: undefined }), /signatures\[0\]\.sig: /],
    ['an empty sig', one({ sig: '' }), /signatures\[0\]\.sig: /],
    ['a sig that is longer than any', one({ sig: 'AAAA'.repeat(33) }), /signatures\[0\]\.sig: /],
    [
      'a sig with a line break',
      one({ sig: `${signature.sig}\n` }),
      /signatures\[0\]\.sig of this .* not canonical/,
    ],
    [
      'a payload in base64 with other bits',
      JSON.stringify({ ...signed, payload: 'eyJhIjoxfR==' }),
      /payload of .* not canon/,
    ],
    [
      'a payload in base64 without its end',
      JSON.stringify({ ...signed, payload: 'eyJhIjoxfQ=' }),
      /not canonical/,
    ],
    ['a payload with spaces', JSON.stringify({ ...signed, payload: ` ${signed.payload}` }), /not canonical/],
    [
      'the key of another',
      one({ spki: publicPem(newSigningKey().publicKey).split('\n').slice(1, 3).join('') }),
      /signatures\[0\]\.keyid .* expected [0-9a-f]{64}/,
    ],
    ['an spki that is none', one({ spki: 'AAAA' }), /cannot be decoded/],
    [
      'more bytes than any',
      ' '.repeat(MOST_ENVELOPE_BYTES + 1),
      /has 16777217 characters; expected 16777216/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => read(text)).toThrow(UserError)
    expect(() => read(text)).toThrow(message)
    expect(() => read(text)).toThrow(/^e\.json: /)
  })
})

test('fields that are not known are ignored, and both alphabets of base64 are read', () => {
  expect(
    signers(JSON.stringify({ ...signed, more: 1, signatures: [{ ...signature, cert: 'x' }] })).valid,
  ).toEqual([key.id])
  const payload = Buffer.from('{"a":"???>>>"}')
  const text = signedEnvelope(TYPE, payload, signer)
  const envelope = JSON.parse(text) as typeof signed
  expect(envelope.payload).toMatch(/[+/]/)
  for (const form of [
    payload.toString('base64url'),
    envelope.payload.replaceAll('+', '-').replaceAll('/', '_'),
  ])
    expect(signers(JSON.stringify({ ...envelope, payload: form })).valid).toEqual([key.id])
})

test('a public key in another encoding of the same point is refused', () => {
  const text = signedEnvelope(TYPE, Buffer.from('{}'), signer)
  const whole = JSON.parse(text) as typeof signed
  const [{ keyid, sig, spki }] = whole.signatures
  const der = Buffer.from(spki, 'base64')
  const point = der.subarray(-65)
  // A hybrid point says in its first byte whether y is odd.
  point[0] = 6 + ((point.at(-1) ?? 0) & 1)
  const hybrid = { ...whole, signatures: [{ keyid, sig, spki: der.toString('base64') }] }
  expect(() => signers(JSON.stringify(hybrid), [])).toThrow(
    /in another encoding; expected an uncompressed point/,
  )
})

test('any change of one byte of the payload, the type, the signature or the key fails', () => {
  const text = signedEnvelope(TYPE, Buffer.from('{"digest":"0123456789abcdef"}'), signer)
  const whole = JSON.parse(text) as typeof signed & { payloadType: string }
  const [{ keyid, sig, spki }] = whole.signatures
  const changed = (base64: string, at: number, by: number) => {
    const bytes = Buffer.from(base64, 'base64')
    const index = at % bytes.length
    bytes[index] = (bytes[index] ?? 0) ^ by
    return bytes.toString('base64')
  }
  const isAccepted = (envelope: Json, keys: readonly PublicKey[]) => {
    try {
      return signers(JSON.stringify(envelope), keys).valid.includes(key.id)
    } catch (error) {
      if (error instanceof UserError) return false
      throw error
    }
  }
  expect(isAccepted(whole, [])).toBe(true)
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 255 }), (at, by) => {
      const signatures = (one: object) => ({ ...whole, signatures: [one] })
      expect(isAccepted({ ...whole, payload: changed(whole.payload, at, by) }, [key])).toBe(false)
      expect(isAccepted(signatures({ keyid, sig: changed(sig, at, by) }), [key])).toBe(false)
      expect(isAccepted(signatures({ keyid, sig, spki: changed(spki, at, by) }), [])).toBe(false)
    }),
    { numRuns: 300 },
  )
})
