import { createHash } from 'node:crypto'

/**
 * The root of the Merkle tree over the ids of samples, in lower-case hexadecimal. The form of the
 * tree is that of RFC 6962: leaf = SHA-256(0x00 ‖ salt ‖ id in UTF-8), node = SHA-256(0x01 ‖ left ‖
 * right), and the last node of an odd level is promoted. The leaves are in ascending order of the
 * ids, compared by their UTF-8 bytes. Throws a RangeError if there are no ids.
 *
 * @param salt bytes in hexadecimal
 */
export function merkleRoot(salt: string, ids: readonly string[]): string {
  if (ids.length === 0) throw new RangeError('a Merkle tree needs at least one leaf')
  const key = Buffer.from(salt, 'hex')
  const sorted = ids.map((id) => Buffer.from(id, 'utf8')).sort((a, b) => Buffer.compare(a, b))
  let level = sorted.map((id) => hash(LEAF, key, id))
  while (level.length > 1) level = pairs(level)
  return level[0]?.toString('hex') ?? ''
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

function pairs(level: readonly Buffer[]): Buffer[] {
  return level.flatMap((left, i) => {
    if (i % 2 === 1) return []
    const right = level[i + 1]
    return [right ? hash(NODE, left, right) : left]
  })
}

function hash(...parts: readonly Uint8Array[]): Buffer {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}
