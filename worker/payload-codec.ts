import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import { UserError } from '../common/errors.ts'
import { failureConverterPath } from './failure-converter-path.ts'
import { PAYLOAD_KEYS, payloadKeys, type PayloadKey } from './payload-keys.ts'

/**
 * These names and the layout of encrypted payloads are those of Temporal's samples, so that codec
 * servers made from them can decrypt the payloads.
 */
const ENCODING = 'binary/encrypted'
const CIPHER = 'AES-GCM'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Returns the converter between values and the payloads on a Temporal server, for clients and
 * workers. Payloads are encrypted with the first key, if there is one. The names of workflows and
 * the search attributes are not encrypted, because the server finds runs by them. Throws a
 * UserError if the keys are not valid.
 */
export function dataConverter(keys = payloadKeys()): DataConverter {
  return {
    payloadCodecs: [payloadCodec(keys)],
    ...(keys.length > 0 && { failureConverterPath }),
  }
}

/** Without keys, this encrypts nothing and rejects encrypted payloads with a UserError. */
function payloadCodec(keys: readonly PayloadKey[]): PayloadCodec {
  const [first] = keys
  return {
    encode: (payloads) =>
      Promise.resolve(first ? payloads.map((payload) => sealed(payload, first)) : payloads),
    // An error must reject the promise: the SDK does not expect this function to throw.
    decode: (payloads) => Promise.resolve().then(() => payloads.map((payload) => opened(payload, keys))),
  }
}

/**
 * Encrypts a payload with a random nonce. One key may encrypt 2³² payloads, far more than a
 * deployment has.
 */
function sealed(payload: Payload, { id, bytes }: PayloadKey): Payload {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', bytes, nonce)
  const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish()
  return {
    metadata: {
      encoding: Buffer.from(ENCODING),
      'encryption-cipher': Buffer.from(CIPHER),
      'encryption-key-id': Buffer.from(id),
    },
    data: Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
  }
}

function opened(payload: Payload, keys: readonly PayloadKey[]): Payload {
  const { metadata, data } = payload
  const text = (name: string) => Buffer.from(metadata?.[name] ?? []).toString()
  if (text('encoding') !== ENCODING) return payload
  const id = text('encryption-key-id')
  const key = keys.find((known) => known.id === id)
  if (!key)
    throw new UserError(
      `a payload on the Temporal server is encrypted with the key '${id}', which ${PAYLOAD_KEYS} does not have here; add it there`,
    )
  try {
    const bytes = Buffer.from(data ?? [])
    const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    const sealedPart = bytes.subarray(NONCE_BYTES, -TAG_BYTES)
    return proto.temporal.api.common.v1.Payload.decode(
      Buffer.concat([decipher.update(sealedPart), decipher.final()]),
    )
  } catch {
    throw new UserError(
      `a payload on the Temporal server does not open with the key '${id}': ${PAYLOAD_KEYS} has another one by this name, or the payload was changed`,
    )
  }
}
