import { UserError } from '../common/errors.ts'
import { secretOf } from '../common/secret.ts'

export interface PayloadKey {
  readonly id: string
  readonly bytes: Buffer
}

export const PAYLOAD_KEYS = 'ZEROSHIFT_PAYLOAD_KEYS'
const KEY_BYTES = 32

/**
 * Reads the keys for payloads from ZEROSHIFT_PAYLOAD_KEYS, or from the file that
 * ZEROSHIFT_PAYLOAD_KEYS_FILE names: `id:base64,id:base64…` with 32 bytes each. The first key
 * encrypts, and all keys decrypt. To change keys, add the new one at the end everywhere, then move
 * it to the front, and remove the old one once no run needs it. Throws a UserError if a key is not
 * valid.
 */
export function payloadKeys(env: NodeJS.ProcessEnv = process.env): readonly PayloadKey[] {
  const text = secretOf(PAYLOAD_KEYS, env)
  if (text === undefined) return []
  const keys = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(keyOf)
  // Otherwise payloads would silently not be encrypted.
  if (keys.length === 0)
    throw new UserError(`${PAYLOAD_KEYS} holds no key; expected id:base64, or that it is not set`)
  const twice = keys.find(({ id }, i) => keys.findIndex((other) => other.id === id) < i)
  if (twice)
    throw new UserError(`${PAYLOAD_KEYS} has two keys by the name '${twice.id}'; expected a name for each`)
  return keys
}

/** Parses a key. Errors give the position of the key, because its text may be the secret. */
function keyOf(text: string, i: number): PayloadKey {
  const [, id, base64] = /^([\w.-]{1,64}):([A-Za-z0-9+/]+=*)$/.exec(text) ?? []
  const bytes = Buffer.from(base64 ?? '', 'base64')
  if (id === undefined || bytes.length !== KEY_BYTES)
    throw new UserError(
      `${PAYLOAD_KEYS}: entry ${i + 1} is no key; expected id:base64 with ${KEY_BYTES} bytes, as \`openssl rand -base64 ${KEY_BYTES}\` makes them`,
    )
  return { id, bytes }
}
