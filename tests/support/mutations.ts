import type { RandomStream } from '../../learning/random.ts'

/** Damage as disks, networks and attackers do it, for tests that readers of files stand. */

/** A file with one to four changes. `others` are what parts are spliced in from. */
export function mutated(file: Buffer, others: readonly Buffer[], random: RandomStream): Buffer {
  let bytes = Buffer.from(file)
  for (let changes = 1 + random.integer(4); changes > 0; changes--) {
    const change = mutations[random.integer(mutations.length)]
    if (bytes.length > 0 && change) bytes = change(bytes, others, random)
  }
  return bytes
}

type Mutation = (bytes: Buffer, others: readonly Buffer[], random: RandomStream) => Buffer<ArrayBuffer>

const EXTREMES = [
  0n,
  1n,
  127n,
  128n,
  255n,
  2n ** 15n,
  2n ** 16n - 1n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
]

const mutations: readonly Mutation[] = [
  // One bit.
  (bytes, _, random) => {
    const at = random.integer(bytes.length)
    return Buffer.from(bytes.with(at, (bytes[at] ?? 0) ^ (1 << random.integer(8))))
  },
  // One byte.
  (bytes, _, random) => Buffer.from(bytes.with(random.integer(bytes.length), random.integer(256))),
  // A length, a count or an offset that is as large or small as it gets.
  (bytes, _, random) => {
    const width = [1, 2, 4, 8][random.integer(4)] ?? 1
    const value = EXTREMES[random.integer(EXTREMES.length)] ?? 0n
    const field = Buffer.alloc(8)
    const big = random.integer(2) === 0
    if (big) field.writeBigUInt64BE(value)
    else field.writeBigUInt64LE(value)
    const copy = Buffer.from(bytes)
    ;(big ? field.subarray(8 - width) : field.subarray(0, width)).copy(copy, random.integer(bytes.length))
    return copy
  },
  // The end is missing.
  (bytes, _, random) => Buffer.from(bytes.subarray(0, random.integer(bytes.length))),
  // A part is missing, is there twice, or is another file's.
  (bytes, _, random) => {
    const [begin, end] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, begin), bytes.subarray(end)])
  },
  (bytes, _, random) => {
    const [begin, end] = range(bytes, random)
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(begin)])
  },
  (bytes, others, random) => {
    const other = others[random.integer(others.length)] ?? bytes
    const [begin, end] = range(other, random)
    const at = random.integer(bytes.length)
    const after = random.integer(2) === 0 ? at : Math.min(bytes.length, at + end - begin)
    return Buffer.concat([bytes.subarray(0, at), other.subarray(begin, end), bytes.subarray(after)])
  },
]

/** Mostly short, now and then any. */
function range(bytes: Buffer, random: RandomStream): readonly [number, number] {
  const begin = random.integer(bytes.length)
  const longest = random.integer(4) === 0 ? bytes.length : 32
  return [begin, Math.min(bytes.length, begin + 1 + random.integer(longest))]
}
