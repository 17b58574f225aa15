import { createHash, createHmac } from 'node:crypto'
import { z } from 'zod'

/**
 * A Merkle tree over the ids of forgotten samples, in the form of RFC 6962 with SHA-256. Its root
 * commits to the ids without showing them.
 *
 * A leaf is the digest of 0x00, its own salt and the id. The salt of a leaf is the HMAC-SHA-256 of
 * the id under the salt of the tree, so that the proof of one sample does not help to guess others.
 * The leaves are in the order of their digests: their order by id would tell each subject how many
 * ids come before its own.
 */

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** The proof that one id is in the tree. It tells nothing about the other ids but their number. */
export const inclusionProofSchema = z.strictObject({
  id: z.string(),
  /** The salt of this leaf alone. */
  salt: hash,
  /** The place of the leaf, counted from 0. */
  leaf: z.int().min(0),
  leaves: z.int().min(1),
  /** The digests with which the leaf is combined, from the leaf to the root. */
  path: z.array(hash).max(64),
})
export type InclusionProof = z.output<typeof inclusionProofSchema>

/** A tree, with the proofs of all ids in the order of the leaves. */
export interface MerkleTree {
  readonly root: string
  readonly proofs: readonly InclusionProof[]
}

/**
 * Returns the root for a salt of 64 hexadecimal digits and ids in any order. Throws a RangeError if
 * there is no id, or if an id occurs twice.
 */
export function merkleRoot(salt: string, ids: readonly string[]): string {
  return hex(rootOf(levelsOf(leavesOf(salt, ids))))
}

/** Returns the tree with all proofs. Throws as `merkleRoot` does. */
export function merkleTree(salt: string, ids: readonly string[]): MerkleTree {
  const leaves = leavesOf(salt, ids)
  const levels = levelsOf(leaves)
  return {
    root: hex(rootOf(levels)),
    proofs: leaves.map(({ id, salt }, leaf) => ({
      ...{ id, salt: hex(salt), leaf, leaves: leaves.length },
      path: pathOf(levels, leaf).map(hex),
    })),
  }
}

/** Whether a proof leads to the root. The algorithm is that of RFC 9162, section 2.1.3.2. */
export function isIncluded({ id, salt, leaf, leaves, path }: InclusionProof, root: string): boolean {
  if (leaf >= leaves) return false
  let [place, last] = [leaf, leaves - 1]
  let digest = leafDigest(Buffer.from(salt, 'hex'), id)
  for (const text of path) {
    if (last === 0) return false
    const sibling = Buffer.from(text, 'hex')
    if (place % 2 === 1 || place === last) {
      digest = nodeDigest(sibling, digest)
      // Levels on which the node has no sibling are passed over.
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)]
    } else digest = nodeDigest(digest, sibling)
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && hex(digest) === root
}

interface Leaf {
  readonly id: string
  readonly salt: Buffer
  readonly digest: Buffer
}

function leavesOf(treeSalt: string, ids: readonly string[]): readonly Leaf[] {
  if (ids.length === 0) throw new RangeError('a Merkle tree has at least one leaf; there is no id')
  if (new Set(ids).size < ids.length) throw new RangeError('an id occurs twice among those of a Merkle tree')
  const key = Buffer.from(treeSalt, 'hex')
  return ids
    .map((id) => {
      const salt = createHmac('sha256', key).update(id).digest()
      return { id, salt, digest: leafDigest(salt, id) }
    })
    .sort((a, b) => Buffer.compare(a.digest, b.digest))
}

/**
 * Returns the digests of all levels, from the leaves to the root. A last node without a sibling is
 * a node of the next level, too.
 */
function levelsOf(leaves: readonly Leaf[]): readonly (readonly Buffer[])[] {
  const levels: Buffer[][] = []
  let level = leaves.map(({ digest }) => digest)
  for (;;) {
    levels.push(level)
    if (level.length === 1) return levels
    const below = level
    level = below.flatMap((left, i) => {
      if (i % 2 === 1) return []
      const right = below[i + 1]
      return [right ? nodeDigest(left, right) : left]
    })
  }
}

function rootOf(levels: readonly (readonly Buffer[])[]): Buffer {
  const root = levels.at(-1)?.[0]
  if (!root) throw new RangeError('a Merkle tree has at least one leaf')
  return root
}

/** Returns the siblings on the way from a leaf to the root. */
function pathOf(levels: readonly (readonly Buffer[])[], leaf: number): readonly Buffer[] {
  return levels.slice(0, -1).flatMap((level, height) => {
    const place = Math.floor(leaf / 2 ** height)
    return level[place % 2 === 0 ? place + 1 : place - 1] ?? []
  })
}

const leafDigest = (salt: Buffer, id: string) => digestOf(Buffer.of(0), salt, Buffer.from(id))
const nodeDigest = (left: Buffer, right: Buffer) => digestOf(Buffer.of(1), left, right)

function digestOf(...parts: readonly Buffer[]): Buffer {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}

const half = (place: number) => Math.floor(place / 2)
const hex = (bytes: Buffer) => bytes.toString('hex')
