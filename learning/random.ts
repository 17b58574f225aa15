import { createHash } from 'node:crypto'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'

/**
 * Named random streams. Every random draw comes from a stream named by a seed and a purpose (and an
 * epoch or a step), never from shared generator state. Draws therefore do not depend on what was
 * drawn elsewhere before, and a resumed run takes the same steps as an uninterrupted one. The
 * generator is xoroshiro128+, seeded with the SHA-256 of the name.
 */
export interface RandomStream {
  /** A number in [0, 1), of 32 random bits. */
  uniform(): number
  /** An integer in 0..n − 1. */
  integer(n: number): number
  /** A standard normal number (Box-Muller). */
  normal(): number
  /** Shuffles in place (Fisher-Yates) and returns the array. */
  shuffle(array: Int32Array): Int32Array
}

export function stream(seed: number, ...name: readonly (string | number)[]): RandomStream {
  const hash = createHash('sha256')
    .update(JSON.stringify([seed, ...name]))
    .digest()
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((offset) => hash.readInt32LE(offset)))
  let spare: number | undefined

  const uniform = () => (generator.next() >>> 0) / 2 ** 32
  const integer = (n: number) => uniformInt(generator, 0, n - 1)
  return {
    uniform,
    integer,
    normal() {
      if (spare !== undefined) {
        const value = spare
        spare = undefined
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
    shuffle(array) {
      for (let i = array.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        const swapped = array[i] ?? 0
        array[i] = array[j] ?? 0
        array[j] = swapped
      }
      return array
    },
  }
}

/** The integers 0..n − 1 in random order. */
export function permutation(n: number, random: RandomStream): Int32Array {
  return random.shuffle(Int32Array.from({ length: n }, (_, i) => i))
}

/** Draws `count` of the values without replacement. Returns them in random order. */
export function sample(values: Int32Array, count: number, random: RandomStream): Int32Array {
  return permutation(values.length, random)
    .subarray(0, count)
    .map((i) => values[i] ?? 0)
}
