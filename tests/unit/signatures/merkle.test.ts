import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { merkleRoot } from '../../../signatures/merkle.ts'

const salt = 'ab'.repeat(32)
const hash = (...parts: readonly (Uint8Array | string)[]) => {
  const digest = createHash('sha256')
  for (const part of parts) digest.update(part)
  return digest.digest()
}
const leaf = (id: string) => hash(Uint8Array.of(0), Buffer.from(salt, 'hex'), id)
const node = (left: Uint8Array, right: Uint8Array) => hash(Uint8Array.of(1), left, right)

test('the tree is that of RFC 6962 over the ids in ascending order', () => {
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(leaf)
  if (!a || !b || !c || !d || !e) throw new Error('not reached')
  expect(merkleRoot(salt, ['a'])).toBe(a.toString('hex'))
  expect(merkleRoot(salt, ['b', 'a'])).toBe(node(a, b).toString('hex'))
  // The last node of an odd level is promoted.
  const root = node(node(node(a, b), node(c, d)), e).toString('hex')
  expect(merkleRoot(salt, ['e', 'c', 'a', 'd', 'b'])).toBe(root)
})

test('the root depends on the salt and on every id', () => {
  const roots = [
    merkleRoot(salt, ['a', 'b']),
    merkleRoot('cd'.repeat(32), ['a', 'b']),
    merkleRoot(salt, ['a', 'c']),
    merkleRoot(salt, ['ab']),
    merkleRoot(salt, ['ä', 'b']),
  ]
  expect(new Set(roots).size).toBe(roots.length)
  expect(() => merkleRoot(salt, [])).toThrow(RangeError)
})
