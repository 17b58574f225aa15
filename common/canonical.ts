import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/**
 * Canonical JSON (RFC 8785), with sorted keys and no white space. Equal values give equal texts.
 */
export function canonicalJson(value: unknown): string {
  const text = (canonicalize as unknown as (value: unknown) => string | undefined)(value)
  if (text === undefined) throw new TypeError('a value without a JSON form cannot be canonicalised')
  return text
}

/** The SHA-256 of a text in UTF-8 or of bytes, in lower-case hexadecimal. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** The SHA-256 of the canonical JSON of a value, in lower-case hexadecimal. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value))
}
