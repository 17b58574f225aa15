import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { FormatError } from './files.ts'
import { MOST_EXPANSION } from './gzip.ts'

/**
 * A numeric array of a MATLAB level 5 file. Such a file has a header of 128 bytes and elements,
 * each with a type, a length and its bytes, padded to a multiple of eight. An element may be a zlib
 * stream of another element.
 */
export interface MatlabArray {
  readonly shape: readonly number[]
  /** The values, with the first dimension fastest. */
  readonly values: Uint8Array | Uint16Array | Int32Array | Float64Array
}

const HEADER = 128
const COMPRESSED = 15
const MATRIX = 14

/** Views of the stored values by their type. */
const STORED: Readonly<Record<number, (bytes: Uint8Array<ArrayBuffer>) => MatlabArray['values']>> = {
  2: (bytes) => bytes,
  4: ({ buffer }) => new Uint16Array(buffer),
  5: ({ buffer }) => new Int32Array(buffer),
  9: ({ buffer }) => new Float64Array(buffer),
}
const WIDTHS: Readonly<Record<number, number>> = { 2: 1, 4: 2, 5: 4, 9: 8 }

/** Decodes the arrays of a file by name. Throws a FormatError. */
export async function decodeMatlab(file: Buffer): Promise<ReadonlyMap<string, MatlabArray>> {
  // Version 1.0, and "MI" as a little-endian number.
  if (file.length < HEADER || file.readUInt32LE(124) !== 0x4d490100)
    throw new FormatError('is no MATLAB file of level 5 in little-endian order')
  const arrays = new Map<string, MatlabArray>()
  for (let at = HEADER; at < file.length;) {
    const element = elementAt(file, at)
    // A compressed element is not padded.
    at = element.type === COMPRESSED ? element.begin + element.data.length : element.end
    const inner =
      element.type === COMPRESSED ? elementAt(await inflated(element.data, file.length), 0) : element
    if (inner.type !== MATRIX)
      throw new FormatError(`holds an element of type ${inner.type}, expected arrays`)
    const [name, array] = arrayOf(inner.data)
    arrays.set(name, array)
  }
  return arrays
}

interface Element {
  readonly type: number
  readonly begin: number
  readonly data: Buffer
  /** The position of the next element. */
  readonly end: number
}

function elementAt(bytes: Buffer, at: number): Element {
  if (at + 8 > bytes.length) throw new FormatError('is truncated: an element begins where it ends')
  const word = bytes.readUInt32LE(at)
  // If the upper half of the first word is not 0, it is the length of at most four bytes, which
  // follow directly.
  const small = word >>> 16
  const [type, length, begin] =
    small > 0 ? [word & 0xffff, small, at + 4] : [word, bytes.readUInt32LE(at + 4), at + 8]
  if (small > 4 || begin + length > bytes.length)
    throw new FormatError(
      `is truncated: an element takes ${length} bytes, of ${bytes.length - begin} that are there`,
    )
  const end = small > 0 ? at + 8 : begin + Math.ceil(length / 8) * 8
  return { type, begin, data: bytes.subarray(begin, begin + length), end }
}

async function inflated(data: Buffer, size: number): Promise<Buffer> {
  try {
    return await promisify(inflate)(data, { maxOutputLength: MOST_EXPANSION * size + 1024 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new FormatError(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `unpacks to more than ${MOST_EXPANSION} times its ${size} bytes: it is no file of pictures`
        : `cannot be unpacked (${message}): it is truncated or was changed`,
    )
  }
}

/** Decodes an array: its flags, dimensions, name and values. */
function arrayOf(matrix: Buffer): readonly [string, MatlabArray] {
  const flags = elementAt(matrix, 0)
  const sides = elementAt(matrix, flags.end)
  const name = elementAt(matrix, sides.end)
  const values = elementAt(matrix, name.end)
  const title = name.data.toString('latin1')
  const width = WIDTHS[values.type]
  const stored = STORED[values.type]
  if (sides.type !== 5 || sides.data.length % 4 !== 0)
    throw new FormatError(`has an array "${title}" without dimensions`)
  if (!width || !stored)
    throw new FormatError(
      `has an array "${title}" of the type ${values.type}, expected bytes, whole numbers or doubles`,
    )
  const shape = Array.from({ length: sides.data.length / 4 }, (_, i) => sides.data.readInt32LE(4 * i))
  const expected = shape.reduce((product, side) => product * side, width)
  if (shape.some((side) => side < 0) || values.data.length !== expected)
    throw new FormatError(
      `has an array "${title}" of ${values.data.length} bytes, and ${shape.join(' × ')} values take ${expected}`,
    )
  // A copy is aligned, as views of more than one byte require.
  return [title, { shape, values: stored(Uint8Array.from(values.data)) }]
}
