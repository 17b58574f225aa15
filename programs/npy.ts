/**
 * Arrays in the .npy format of NumPy, versions 1 and 2, little endian and in C order: the bytes
 * `\x93NUMPY`, the version, the length of the header, the header as the literal of a Python
 * dictionary, and the values.
 */

export type NpyArray =
  | { readonly dtype: 'uint8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly values: BigInt64Array }
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'float64'; readonly shape: readonly number[]; readonly values: Float64Array }
export type NpyType = NpyArray['dtype']

const codes = { uint8: '|u1', int64: '<i8', float32: '<f4', float64: '<f8' } as const
const types: Readonly<Partial<Record<string, NpyType>>> = {
  '|u1': 'uint8',
  '<i8': 'int64',
  '<f4': 'float32',
  '<f8': 'float64',
}
const bytesPerValue = { uint8: 1, int64: 8, float32: 4, float64: 8 } as const

const MAGIC = Buffer.from('\x93NUMPY', 'latin1')
/** The values begin at a multiple of this, as in the files of NumPy. */
const ALIGNMENT = 64

/** The bytes that precede the values of an array in its file. */
export function npyHeader(dtype: NpyType, shape: readonly number[]): Uint8Array {
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

export interface NpyHead {
  readonly dtype: NpyType
  readonly shape: readonly number[]
  /** The byte of the file at which the values begin. */
  readonly start: number
  /** The number of bytes that a file with this header has. */
  readonly fileBytes: number
}

/** Decodes a file. Throws an Error that says what was found and what was expected. */
export function decodeNpy(bytes: Uint8Array): NpyArray {
  const { dtype, shape, start, fileBytes } = decodeNpyHead(bytes)
  if (bytes.length !== fileBytes)
    throw new Error(
      `the file has ${bytes.length} bytes, expected ${fileBytes} for ${dtype} of shape ${shapeText(shape)}: it is ` +
        (bytes.length < fileBytes ? 'truncated' : 'too long'),
    )
  const { buffer, byteOffset } = Uint8Array.from(bytes.subarray(start))
  const count = (fileBytes - start) / bytesPerValue[dtype]
  switch (dtype) {
    case 'uint8':
      return { dtype, shape, values: new Uint8Array(buffer, byteOffset, count) }
    case 'int64':
      return { dtype, shape, values: new BigInt64Array(buffer, byteOffset, count) }
    case 'float32':
      return { dtype, shape, values: new Float32Array(buffer, byteOffset, count) }
    case 'float64':
      return { dtype, shape, values: new Float64Array(buffer, byteOffset, count) }
  }
}

/** Decodes the header at the beginning of a file. Throws an Error as `decodeNpy` does. */
export function decodeNpyHead(bytes: Uint8Array): NpyHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || MAGIC.compare(bytes, 0, MAGIC.length) !== 0)
    throw new Error('the file is not in the .npy format; expected a file that numpy.save wrote')
  const version = view.getUint8(6)
  if (version !== 1 && version !== 2)
    throw new Error(`the file has version ${version} of the .npy format, expected 1 or 2`)
  const before = version === 1 ? 10 : 12
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const start = before + length
  if (start > bytes.length) throw new Error('the file is truncated: it ends inside its header')
  const text = new TextDecoder('latin1').decode(bytes.subarray(before, start))
  const descr = /'descr': ('[^']*'|\[)/.exec(text)?.[1]
  const order = /'fortran_order': (True|False)/.exec(text)?.[1]
  const sides = /'shape': \(((?:\d{1,15}(?:, ?\d{1,15})*,?)?)\)/.exec(text)?.[1]
  if (descr === undefined || order === undefined || sides === undefined)
    throw new Error('the header of the file has not the three entries descr, fortran_order and shape')
  const dtype = typeOf(descr.replaceAll("'", ''))
  if (order === 'True')
    throw new Error(
      'the array is in Fortran order, expected C order; numpy.ascontiguousarray converts it before numpy.save',
    )
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]))
  const count = shape.reduce((product, side) => product * side, 1)
  return { dtype, shape, start, fileBytes: start + count * bytesPerValue[dtype] }
}

/** A shape as Python writes it. */
export function shapeText(shape: readonly number[]): string {
  return `(${shape.length === 1 ? `${shape[0]},` : shape.join(', ')})`
}

function typeOf(descr: string): NpyType {
  const found = types[descr]
  if (found) return found
  const expected = `expected one of ${Object.keys(bytesPerValue).join(', ')}`
  if (descr === '[') throw new Error(`the array has a structured type, ${expected}`)
  if (descr.includes('O'))
    throw new Error(
      `the array has Python objects, which are a pickle and can run code when they are read; ${expected}`,
    )
  if (descr.startsWith('>'))
    throw new Error(
      `the array has the big-endian type ${descr}, expected little endian; .astype("<${descr.slice(1)}") converts it`,
    )
  throw new Error(`the array has the type ${descr}, ${expected}`)
}
