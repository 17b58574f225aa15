import { z } from 'zod'
import { UserError } from '../common/errors.ts'
import { formatPath } from '../common/path.ts'
import { derOf, isSignature, publicKeyInDer, type PublicKey, type Signer } from './keys.ts'

/**
 * A DSSE envelope (Dead Simple Signing Envelope, version 1 of
 * https://github.com/secure-systems-lab/dsse). A signature covers the type and the bytes of the
 * payload. Each signature also has the field `spki`, the public key in base64, with which a reader
 * can verify the signature. It does not make the key trusted. Other tools ignore the field, because
 * the specification requires readers to ignore unknown fields.
 */
export interface Envelope {
  readonly payloadType: string
  readonly payload: Buffer
  readonly signatures: readonly EnvelopeSignature[]
}

export interface EnvelopeSignature {
  /** The id of the key, or empty text if the envelope gives none. */
  readonly keyid: string
  readonly sig: Buffer
  readonly key?: PublicKey
}

/**
 * The ids of the keys that signed an envelope, by the result of the verification. An id is in one
 * list only.
 */
export interface Signers {
  readonly valid: readonly string[]
  readonly invalid: readonly string[]
  /** The ids of keys that are neither known nor in the envelope. */
  readonly unknown: readonly string[]
}

export const MOST_ENVELOPE_BYTES = 2 ** 24
const MOST_SIGNATURES = 16
const MOST_NAME = 256
/** A signature has 72 bytes at most, and a public key 91. */
const MOST_SIG_TEXT = 128
const MOST_KEY_TEXT = 256

const schema = z.object({
  payload: z.string(),
  payloadType: z.string().min(1).max(MOST_NAME),
  signatures: z
    .array(
      z.object({
        keyid: z.string().max(MOST_NAME).default(''),
        sig: z.string().min(1).max(MOST_SIG_TEXT),
        spki: z.string().min(1).max(MOST_KEY_TEXT).optional(),
      }),
    )
    .min(1)
    .max(MOST_SIGNATURES),
})

/** Returns the bytes that are signed (PAE in the specification). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType)
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${type.length} `),
    type,
    Buffer.from(` ${payload.length} `),
    payload,
  ])
}

/** Signs a payload and returns the envelope as one line of JSON with a line break. */
export function signedEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): string {
  return envelopeText(withSignature({ payloadType, payload: Buffer.from(payload), signatures: [] }, signer))
}

/** Adds a signature to an envelope. It replaces an earlier one by the same key. */
export function withSignature(envelope: Envelope, { publicKey, sign }: Signer): Envelope {
  const { payloadType, payload, signatures } = envelope
  const sig = sign(preAuthenticationEncoding(payloadType, payload))
  const others = signatures.filter(({ keyid }) => keyid !== publicKey.id)
  return { ...envelope, signatures: [...others, { keyid: publicKey.id, sig, key: publicKey }] }
}

/** Returns an envelope as one line of JSON with a line break. */
export function envelopeText({ payloadType, payload, signatures }: Envelope): string {
  const envelope = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: signatures.map(({ keyid, sig, key }) => ({
      keyid,
      sig: sig.toString('base64'),
      ...(key && { spki: derOf(key.key).toString('base64') }),
    })),
  }
  return `${JSON.stringify(envelope)}\n`
}

/**
 * Reads an envelope whose payload has the given type, without verifying it. `where` is the place of
 * the envelope in messages. Throws a UserError if the envelope is malformed.
 */
export function readEnvelope(text: string, payloadType: string, where: string): Envelope {
  const wrong = (message: string) => new UserError([{ file: where, message }])
  if (text.length > MOST_ENVELOPE_BYTES)
    throw wrong(`this envelope has ${text.length} characters; expected ${MOST_ENVELOPE_BYTES} at most`)
  const { data, error } = schema.safeParse(parsed(text))
  if (!data) throw wrong(`this is no DSSE envelope: ${firstOf(error)}`)
  if (data.payloadType !== payloadType)
    throw wrong(`this envelope has a payload of the type "${data.payloadType}"; expected "${payloadType}"`)
  const bytesAt = (path: (string | number)[], base64: string) => {
    const bytes = bytesOf(base64)
    if (!bytes) throw wrong(`the ${formatPath(path)} of this envelope is not canonical base64`)
    return bytes
  }
  const signatures = data.signatures.map(({ keyid, sig, spki }, i): EnvelopeSignature => {
    const path = ['signatures', i]
    if (keyid !== '' && data.signatures.findIndex((other) => other.keyid === keyid) < i)
      throw wrong(`this envelope has two signatures by the key "${keyid}"; expected one by each key`)
    const key = spki === undefined ? undefined : publicKeyInDer(bytesAt([...path, 'spki'], spki), where)
    if (key && key.id !== keyid)
      throw wrong(
        `the ${formatPath([...path, 'keyid'])} of this envelope is "${keyid}"; expected ${key.id}, the digest of its spki`,
      )
    return { keyid, sig: bytesAt([...path, 'sig'], sig), ...(key && { key }) }
  })
  return { payloadType, payload: bytesAt(['payload'], data.payload), signatures }
}

/** Verifies all signatures, with the given keys and those in the envelope. */
export function signersOf(
  { payloadType, payload, signatures }: Envelope,
  keys: readonly PublicKey[],
): Signers {
  const message = preAuthenticationEncoding(payloadType, payload)
  const verified = signatures.map(({ keyid, sig, key }) => {
    // The id of a key is a hint, which may be absent.
    const candidates = keyid === '' ? keys : [...keys.filter(({ id }) => id === keyid), ...(key ? [key] : [])]
    const signer = candidates.find((candidate) => isSignature(message, sig, candidate))
    if (signer) return { id: signer.id, state: 'valid' as const }
    return {
      id: keyid,
      state: keyid === '' || candidates.length === 0 ? ('unknown' as const) : ('invalid' as const),
    }
  })
  const inState = (state: 'valid' | 'invalid' | 'unknown') => [
    ...new Set(verified.filter((one) => one.state === state).map(({ id }) => id)),
  ]
  return { valid: inState('valid'), invalid: inState('invalid'), unknown: inState('unknown') }
}

/**
 * Decodes base64 in the standard or the URL-safe alphabet, both of which the specification requires
 * readers to accept. Returns undefined if the text is not canonical, even if it can be decoded.
 */
function bytesOf(base64: string): Buffer | undefined {
  const bytes = Buffer.from(base64, 'base64')
  const standard = bytes.toString('base64')
  const urlSafe = standard.replaceAll('+', '-').replaceAll('/', '_')
  const forms = [standard, urlSafe, bytes.toString('base64url')]
  return forms.includes(base64) ? bytes : undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function firstOf(error: z.ZodError): string {
  const [issue] = error.issues
  if (!issue) return 'not as expected'
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  return path.length > 0 ? `${formatPath(path)}: ${issue.message}` : issue.message
}
