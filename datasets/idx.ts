import { FormatError } from './files.ts'

/**
 * An array in the IDX format of MNIST: two zero bytes, the type (8 is a byte), the number of
 * dimensions, the size of each dimension as a big-endian 32-bit number, and the values with the
 * last dimension fastest.
 */
export interface IdxArray {
  readonly shape: readonly number[]
  /** A view of the file's bytes. */
  readonly values: Uint8Array
}

const BYTES = 8

/**
 * Decodes an IDX file of bytes. Throws a FormatError if it has other dimensions or a wrong length.
 */
export function decodeIdx(file: Uint8Array, dimensions: number): IdxArray {
  const start = 4 + 4 * dimensions
  if (file.length < start)
    throw new FormatError(`has ${file.length} bytes, and the header alone takes ${start}: it is truncated`)
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const expected = (BYTES << 8) | dimensions
  if (view.getUint32(0) !== expected)
    throw new FormatError(
      `begins with ${hex(view.getUint32(0))}, expected ${hex(expected)} (an IDX file of bytes in ${dimensions} dimensions)`,
    )
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i))
  const size = shape.reduce((product, side) => product * side, 1)
  if (file.length - start !== size)
    throw new FormatError(
      `has ${file.length - start} bytes after its header, and ${shape.join(' × ')} values take ${size}: ` +
        `it is ${file.length - start < size ? 'truncated' : 'longer than it says'}`,
    )
  return { shape, values: file.subarray(start) }
}

const hex = (word: number) => `0x${word.toString(16).padStart(8, '0')}`
