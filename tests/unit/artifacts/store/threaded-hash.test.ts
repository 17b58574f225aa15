import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ThreadedHash } from '../../../../artifacts/store/threaded-hash.ts'
import { sha256 } from '../../../../common/canonical.ts'

test('the hash of some pieces is that of the whole, whatever becomes of a piece afterwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), async (pieces) => {
      const whole = Buffer.concat(pieces)
      const hash = new ThreadedHash(64)
      try {
        for (const piece of pieces) {
          await hash.update(piece)
          piece.fill(0)
        }
        expect(await hash.digest()).toBe(sha256(whole))
      } finally {
        await hash.close()
      }
    }),
    { numRuns: 20 },
  )
})

test('a piece that is too long is refused', async () => {
  const hash = new ThreadedHash(64)
  await expect(hash.update(new Uint8Array(65))).rejects.toThrow(RangeError)
  await hash.close()
})
