const DIGITS = 1 << 16

/**
 * The numbers of rows 0, 1, …, sorted by a value of each: low ones come first, rows without a
 * number (NaN) last, and equal ones keep their order. Tens of thousands of rows take a few
 * milliseconds, since no two are compared: four times they are put in the order of 16 bits.
 */
export function sortedRows(values: Float64Array): Int32Array {
  const count = values.length
  const words = bitsOf(values)
  let rows = Int32Array.from(values, (_, row) => row)
  let other = new Int32Array(count)
  const starts = new Uint32Array(DIGITS)
  for (let digit = 0; digit < 4; digit++) {
    // Words come in pairs, the low one first.
    const [offset, shift] = [digit >> 1, 16 * (digit & 1)]
    starts.fill(0)
    for (let row = 0; row < count; row++) add(starts, ((words[2 * row + offset] ?? 0) >>> shift) & 0xffff)
    let sum = 0
    for (let i = 0; i < DIGITS; i++) {
      const own = starts[i] ?? 0
      starts[i] = sum
      sum += own
    }
    for (let place = 0; place < count; place++) {
      const row = rows[place] ?? 0
      const own = ((words[2 * row + offset] ?? 0) >>> shift) & 0xffff
      other[add(starts, own)] = row
    }
    ;[rows, other] = [other, rows]
  }
  return rows
}

/** Increments a count. Returns what it was before. */
function add(counts: Uint32Array, at: number): number {
  const before = counts[at] ?? 0
  counts[at] = before + 1
  return before
}

/** The bits of each number as an unsigned integer with the order of the numbers, in two words. */
function bitsOf(values: Float64Array): Uint32Array {
  // Adding 0 makes 0 of −0.
  const numbers = values.map((value) => value + 0)
  const bytes = new DataView(numbers.buffer)
  const words = new Uint32Array(2 * numbers.length)
  for (let row = 0; row < numbers.length; row++) {
    const isNone = Number.isNaN(numbers[row])
    const high = bytes.getUint32(8 * row + (isLittle ? 4 : 0), isLittle)
    const low = bytes.getUint32(8 * row + (isLittle ? 0 : 4), isLittle)
    const isNegative = high >>> 31 === 1
    words[2 * row] = isNone ? 0xffffffff : isNegative ? ~low : low
    words[2 * row + 1] = isNone ? 0xffffffff : isNegative ? ~high : high ^ 0x80000000
  }
  return words
}

const isLittle = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1
