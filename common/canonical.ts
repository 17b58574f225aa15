import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** JSON with sorted keys and no white space (RFC 8785): the same value always gives the same bytes. */
export function canonicalJson(value: unknown): string {
  const text = (canonicalize as unknown as (value: unknown) => string | undefined)(value)
  if (text === undefined) throw new TypeError('a value without a JSON form cannot be canonicalised')
  return text
}

/** Lower-case hexadecimal SHA-256. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** SHA-256 of the canonical JSON of a value. */
export function digestOf(value: unknown): string {
  return sha256(canonicalJson(value))
}
