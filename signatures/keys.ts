import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { sha256 } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'

/**
 * A public key for ECDSA on the curve P-256 with SHA-256. Signatures are in ASN.1 DER, the form
 * that OpenSSL, Go and the tools of sigstore and in-toto write and verify.
 */
export interface PublicKey {
  /** The lower-case hexadecimal SHA-256 of the key as SubjectPublicKeyInfo in DER. */
  readonly id: string
  readonly key: KeyObject
}

/** Signs messages for a public key: a private key in memory, or a command that has access to it. */
export interface Signer {
  readonly publicKey: PublicKey
  /** Returns a signature in DER. */
  readonly sign: (message: Uint8Array) => Buffer
}

export interface SigningKey extends Signer {
  readonly privateKey: KeyObject
}

/** The name of P-256 in OpenSSL. */
const CURVE = 'prime256v1'
const EXPECTED = 'expected an ECDSA key on the curve P-256, as `./zeroshift key new FILE` writes it'
const CHECKED_BYTES = 32

/**
 * Reads a private key in PEM. `where` is the place of the text in messages, which never repeat the
 * text. Throws a UserError for any other text.
 */
export function privateKeyIn(pem: string, where: string): SigningKey {
  const label = labelOf(pem, where)
  if (label.startsWith('ENCRYPTED ') || pem.includes('Proc-Type: 4,ENCRYPTED'))
    throw wrong(
      where,
      'this private key is encrypted with a passphrase; expected one without: `openssl pkey` decrypts it',
    )
  if (!label.endsWith('PRIVATE KEY'))
    throw wrong(
      where,
      `this is a ${nameOf(label)}; expected the private key, whose file has the same name without .pub`,
    )
  const privateKey = decoded(where, () => createPrivateKey(pem))
  refuseOther(privateKey, where)
  const publicKey = publicKeyOf(privateKey)
  // A file may hold a public part that is not that of its private part.
  const message = randomBytes(CHECKED_BYTES)
  if (!isSignature(message, signatureOf(message, privateKey), publicKey))
    throw wrong(where, 'the public part of this key is not that of its private part; expected a whole key')
  return signingKeyOf(publicKey, privateKey)
}

/** Reads a public key in PEM. Throws a UserError for any other text. */
export function publicKeyIn(pem: string, where: string): PublicKey {
  const label = labelOf(pem, where)
  if (label !== 'PUBLIC KEY')
    throw wrong(where, `this is a ${nameOf(label)}; expected the public key, whose file name ends in .pub`)
  return decodedPublicKey(where, () => createPublicKey(pem))
}

/**
 * Reads a public key in the DER form whose digest is the id of the key. Throws a UserError for any
 * other bytes, also for other encodings of the key that OpenSSL would accept.
 */
export function publicKeyInDer(der: Buffer, where: string): PublicKey {
  const key = decodedPublicKey(where, () => createPublicKey({ key: der, format: 'der', type: 'spki' }))
  if (derOf(key.key).equals(der)) return key
  throw wrong(where, 'the public key is in another encoding; expected an uncompressed point in DER')
}

export function newSigningKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: CURVE })
  return signingKeyOf(publicKeyOf(privateKey), privateKey)
}

function signingKeyOf(publicKey: PublicKey, privateKey: KeyObject): SigningKey {
  return { publicKey, privateKey, sign: (message) => signatureOf(message, privateKey) }
}

export function privatePem({ privateKey }: SigningKey): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function publicPem({ key }: PublicKey): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

export function derOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' })
}

/** Signs a message. Two signatures of the same message differ, because ECDSA is randomised. */
export function signatureOf(message: Uint8Array, key: KeyObject): Buffer {
  return sign('sha256', message, { key, dsaEncoding: 'der' })
}

/**
 * Whether a signature of a message is valid. Both values of s that ECDSA allows are accepted,
 * because OpenSSL and Go produce either. Anybody can therefore make a second valid signature from
 * one, and the bytes of a signature must not be used as an id.
 */
export function isSignature(message: Uint8Array, signature: Uint8Array, { key }: PublicKey): boolean {
  return verify('sha256', message, { key, dsaEncoding: 'der' }, signature)
}

/** The length of r and of s in bytes. */
const COORDINATE_BYTES = 32

/**
 * Returns a signature in DER from its DER form or from IEEE P1363, the 64 bytes of r and s that
 * some key stores write. Returns undefined if it is no signature of the message by this key.
 */
export function signatureInDer(
  signature: Buffer,
  message: Uint8Array,
  publicKey: PublicKey,
): Buffer | undefined {
  if (isSignature(message, signature, publicKey)) return signature
  if (signature.length !== 2 * COORDINATE_BYTES) return undefined
  const integers = [0, COORDINATE_BYTES].map((at) =>
    derInteger(signature.subarray(at, at + COORDINATE_BYTES)),
  )
  const body = Buffer.concat(integers)
  const der = Buffer.concat([Buffer.of(DER_SEQUENCE, body.length), body])
  return isSignature(message, der, publicKey) ? der : undefined
}

const DER_SEQUENCE = 0x30
const DER_INTEGER = 0x02
const SIGN_BIT = 0x80

/** A positive integer in DER, from its bytes with the most significant one first. */
function derInteger(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  const digits = bytes.subarray(first === -1 ? bytes.length - 1 : first)
  const padded = (digits[0] ?? 0) >= SIGN_BIT ? Buffer.concat([Buffer.of(0), digits]) : digits
  return Buffer.concat([Buffer.of(DER_INTEGER, padded.length), padded])
}

/**
 * The PEM label of the only key in a text. The parameters of the curve, which `openssl ecparam`
 * writes before the key, are ignored. Throws a UserError if there is not exactly one key.
 */
function labelOf(pem: string, where: string): string {
  const labels = [...pem.matchAll(/^-----BEGIN ([A-Z0-9 ]+)-----\s*$/gm)]
    .map(([, label = '']) => label)
    .filter((label) => label !== 'EC PARAMETERS')
  const [label] = labels
  if (label === undefined) throw wrong(where, `this is no key in PEM; ${EXPECTED}`)
  if (labels.length > 1)
    throw wrong(where, `this has ${labels.length} keys or certificates; expected one key`)
  return label
}

function nameOf(label: string): string {
  return label.toLowerCase()
}

function decodedPublicKey(where: string, decode: () => KeyObject): PublicKey {
  const key = decoded(where, decode)
  refuseOther(key, where)
  return publicKeyOf(key)
}

function decoded(where: string, decode: () => KeyObject): KeyObject {
  try {
    return decode()
  } catch {
    // The error of the library may repeat a part of the text.
    throw wrong(where, `this key cannot be decoded; ${EXPECTED}`)
  }
}

function refuseOther(
  { asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject,
  where: string,
): void {
  if (type === 'ec' && details?.namedCurve === CURVE) return
  const curve = details?.namedCurve ?? 'that its own parameters describe'
  const found = type === 'ec' ? `an ECDSA key on the curve ${curve}` : `a key of the type ${type}`
  throw wrong(where, `this is ${found}; ${EXPECTED}`)
}

/**
 * Returns the public key of a key. Its coordinates are exported and read again, so that the two
 * encodings of a point give the same id.
 */
function publicKeyOf(key: KeyObject): PublicKey {
  const { kty, crv, x, y } = key.export({ format: 'jwk' })
  const point = { ...(kty !== undefined && { kty }), ...(crv !== undefined && { crv }) }
  const publicKey = createPublicKey({
    key: { ...point, ...(x !== undefined && { x }), ...(y !== undefined && { y }) },
    format: 'jwk',
  })
  return { id: sha256(derOf(publicKey)), key: publicKey }
}

function wrong(where: string, message: string): UserError {
  return new UserError(`${where}: ${message}`)
}
