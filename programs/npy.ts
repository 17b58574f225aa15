/**
 * Writes arrays in NumPy's .npy format, version 1: the bytes `\x93NUMPY`, the version, the length
 * of the header, the header as the text of a Python dictionary, and the values, little endian and
 * in C order. datasets/npy.ts reads the format.
 */

const codes = { uint8: '|u1', int64: '<i8' } as const

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
/** The values begin at a multiple of this, as in the files of NumPy. */
const ALIGNMENT = 64

/** The bytes that precede the values of an array in its file. */
export function npyHeader(dtype: keyof typeof codes, shape: readonly number[]): Uint8Array {
  const text = `{'descr': '${codes[dtype]}', 'fortran_order': False, 'shape': ${shapeText(shape)}, }`
  const before = MAGIC.length + 4
  const end = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT
  const length = end - before
  const version = Buffer.from([1, 0, length & 0xff, length >> 8])
  return Buffer.concat([MAGIC, version, Buffer.from(`${text.padEnd(length - 1)}\n`, 'latin1')])
}

/** The file of a vector of whole numbers within ±2³¹, as int64. */
export function integersNpy(values: Int32Array): Uint8Array {
  // The lower and the upper half of each number: many times faster than BigInt.
  const halves = new Int32Array(2 * values.length)
  values.forEach((value, i) => {
    halves[2 * i] = value
    halves[2 * i + 1] = value < 0 ? -1 : 0
  })
  return Buffer.concat([npyHeader('int64', [values.length]), Buffer.from(halves.buffer)])
}

/** A shape as Python writes it. */
export function shapeText(shape: readonly number[]): string {
  return `(${shape.length === 1 ? `${shape[0]},` : shape.join(', ')})`
}
