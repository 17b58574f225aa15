import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isIncluded, merkleRoot, merkleTree, type InclusionProof } from '../../../signatures/merkle.ts'

const sha = (...parts: readonly Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** The definition of RFC 6962, section 2.1: the list is divided at the largest power of two. */
function definedRoot(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves
  if (leaves.length === 1 && first) return first
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha(Buffer.of(1), definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)))
}

function leavesOf(salt: string, ids: readonly string[]): readonly Buffer[] {
  return ids
    .map((id) => {
      const own = createHmac('sha256', Buffer.from(salt, 'hex')).update(id, 'utf8').digest()
      return sha(Buffer.of(0), own, Buffer.from(id, 'utf8'))
    })
    .sort((a, b) => Buffer.compare(a, b))
}

const salts = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex'))
const names = fc.uniqueArray(fc.string({ unit: 'grapheme' }), {
  minLength: 1,
  maxLength: 40,
})

test('the root is that of RFC 6962 over salted leaves, whatever the order of the ids', () => {
  fc.assert(
    fc.property(salts, names, (salt, ids) => {
      const root = definedRoot(leavesOf(salt, ids)).toString('hex')
      expect(merkleRoot(salt, ids)).toBe(root)
      expect(merkleRoot(salt, [...ids].reverse())).toBe(root)
      expect(merkleTree(salt, ids).root).toBe(root)
    }),
  )
})

test('every id has one proof, which leads to the root', () => {
  fc.assert(
    fc.property(salts, names, (salt, ids) => {
      const { root, proofs } = merkleTree(salt, ids)
      expect(proofs.map(({ id }) => id).sort()).toEqual([...ids].sort())
      expect(proofs.map(({ leaf }) => leaf)).toEqual(ids.map((_, i) => i))
      for (const proof of proofs) expect(isIncluded(proof, root)).toBe(true)
    }),
  )
})

/** A digest with another value of one of its digits. */
const changed = (digest: string, place: number) => {
  const at = place % digest.length
  return `${digest.slice(0, at)}${digest[at] === '0' ? '1' : '0'}${digest.slice(at + 1)}`
}

test('no other proof leads to the root', () => {
  fc.assert(
    fc.property(salts, names, fc.nat(), fc.nat(), (salt, ids, which, place) => {
      const { root, proofs } = merkleTree(salt, ids)
      const proof = proofs[which % proofs.length]
      if (!proof) throw new Error('there is a proof of every id')
      const { path, leaves } = proof
      const [step] = path
      const others: readonly InclusionProof[] = [
        { ...proof, id: `${proof.id}x` },
        { ...proof, salt: changed(proof.salt, place) },
        { ...proof, leaf: proof.leaf + leaves },
        { ...proof, path: [...path, root] },
        ...(step === undefined
          ? []
          : [
              { ...proof, path: path.slice(1) },
              { ...proof, path: path.slice(0, -1) },
              {
                ...proof,
                path: path.map((one, i) => (i === place % path.length ? changed(one, place) : one)),
              },
              { ...proof, leaf: proof.leaf ^ 1 },
              { ...proof, leaves: leaves * 4 },
            ]),
      ]
      for (const other of others) expect(isIncluded(other, root)).toBe(false)
      expect(isIncluded(proof, changed(root, place))).toBe(false)
    }),
  )
})

test('a proof has the salt of its own leaf alone, with which no other id can be tested', () => {
  const salt = '00'.repeat(32)
  const { proofs } = merkleTree(salt, ['anna', 'bert', 'carl'])
  expect(new Set(proofs.map((proof) => proof.salt)).size).toBe(3)
  const [proof] = proofs
  if (!proof) throw new Error('there is a proof of every id')
  const known = Buffer.from(proof.salt, 'hex')
  const digests = ['anna', 'bert', 'carl']
    .filter((id) => id !== proof.id)
    .map((id) => sha(Buffer.of(0), known, Buffer.from(id)).toString('hex'))
  for (const digest of digests) expect(JSON.stringify(proof)).not.toContain(digest)
  expect(JSON.stringify(proof)).not.toContain(salt)
})

test('the place of a leaf does not follow the order of the ids', () => {
  const ids = Array.from({ length: 64 }, (_, i) => `sample-${String(i).padStart(3, '0')}`)
  const order = merkleTree('5a'.repeat(32), ids).proofs.map(({ id }) => id)
  expect(order).not.toEqual(ids)
})

test('the root of a known tree stays the same', () => {
  expect(merkleRoot('01'.repeat(32), ['a', 'b', 'c'])).toMatchInlineSnapshot(
    `"186ec5796fbc0c2a460cba18526d2e1b4af99eb65df9f88730d8aba1f610de27"`,
  )
})

test.each([
  ['no id', [], /there is no id/],
  ['an id that occurs twice', ['a', 'b', 'a'], /occurs twice/],
])('%s is refused', (_, ids, message) => {
  expect(() => merkleRoot('00'.repeat(32), ids)).toThrow(message)
})
