import { secretOf } from '../common/secret.ts'
import { privateKeyIn, type SigningKey } from './keys.ts'

const SIGNING_KEY = 'ZEROSHIFT_SIGNING_KEY'

/**
 * The key that workers and commands sign results with: ZEROSHIFT_SIGNING_KEY, or the file that
 * ZEROSHIFT_SIGNING_KEY_FILE names. Returns undefined if neither is set. Throws a UserError if the
 * value is no valid key.
 */
export function signingKey(env: NodeJS.ProcessEnv = process.env): SigningKey | undefined {
  const pem = secretOf(SIGNING_KEY, env)
  if (pem === undefined) return undefined
  const file = env[`${SIGNING_KEY}_FILE`]
  return privateKeyIn(pem, file ? `${SIGNING_KEY}_FILE names ${file}` : SIGNING_KEY)
}
