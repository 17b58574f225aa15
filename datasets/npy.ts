import { FormatError } from './files.ts'

/**
 * An array in NumPy's .npy format: a magic text, a version, the length of the header, a Python
 * dictionary of dtype, order and shape as text, and the values. Nothing in a file is ever executed.
 * Arrays of Python objects (pickles) are refused.
 */
export interface NpyArray {
  /** The NumPy type, such as `|u1` or `<i8`. */
  readonly dtype: string
  readonly shape: readonly number[]
  /** The bytes of the values with the last dimension fastest, a view of the file's. */
  readonly values: Uint8Array
}

const MAGIC = '\x93NUMPY'
const HEADER =
  /^\{'descr': '([<>|=][a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*$/

/** Decodes an .npy file. Throws a FormatError. */
export function decodeNpy(file: Buffer): NpyArray {
  if (file.length < 10 || file.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new FormatError('is no .npy file: it does not begin with \\x93NUMPY')
  const version = file[6] ?? 0
  const begin = version === 1 ? 10 : 12
  if (version < 1 || version > 3 || file.length < begin)
    throw new FormatError(`is an .npy file of version ${version}, expected 1 to 3`)
  const start = begin + (version === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8))
  if (start > file.length) throw new FormatError('is truncated: its header is longer than the file')
  const header = file.toString('latin1', begin, start)
  const [, dtype = '', fortran, sides = ''] = HEADER.exec(header) ?? []
  if (!dtype) throw new FormatError(`${unreadable(header)}`)
  const shape = sides.split(',').flatMap((side) => (side.trim() === '' ? [] : [Number(side)]))
  if (fortran === 'True' && shape.length > 1)
    throw new FormatError('is in Fortran order; save it as numpy.ascontiguousarray(…)')
  const values = file.subarray(start)
  const expected = shape.reduce((product, side) => product * side, Number(dtype.slice(2)))
  if (!shape.every(Number.isSafeInteger) || values.length !== expected)
    throw new FormatError(
      `has ${values.length} bytes of values, and ${shape.join(' × ')} of type ${dtype} take ${expected}`,
    )
  return { dtype, shape, values }
}

function unreadable(header: string): string {
  const [, kind] = /'descr': '\|?(O)/.exec(header) ?? []
  return kind === 'O'
    ? 'holds Python objects (a pickle), which are never loaded; save it as an array of numbers'
    : `has a header that describes no plain array: ${JSON.stringify(header.slice(0, 80).trim())}`
}

/** The values of an integer array of any width. Throws a FormatError for another type. */
export function integersOf({ dtype, values }: NpyArray): readonly number[] {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  const little = dtype.startsWith('<')
  const read = readers[dtype.slice(1)]
  if (!read)
    throw new FormatError(
      `is of type ${dtype}, expected whole numbers; save it as labels.astype(numpy.int64)`,
    )
  const width = Number(dtype.slice(2))
  return Array.from({ length: values.length / width }, (_, i) => read(view, i * width, little))
}

/**
 * The values of an array of floating-point numbers, as float32. Throws a FormatError for another
 * type.
 */
export function floatsOf({ dtype, values }: NpyArray): Float32Array {
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength)
  const little = dtype.startsWith('<')
  const kind = dtype.slice(1)
  if (kind !== 'f4' && kind !== 'f8')
    throw new FormatError(
      `is of type ${dtype}, expected floating-point numbers of 32 or 64 bits; save it as logits.astype(numpy.float32)`,
    )
  const width = kind === 'f4' ? 4 : 8
  return Float32Array.from({ length: values.length / width }, (_, i) =>
    kind === 'f4' ? view.getFloat32(4 * i, little) : view.getFloat64(8 * i, little),
  )
}

const readers: Readonly<Record<string, (view: DataView, at: number, little: boolean) => number>> = {
  u1: (view, at) => view.getUint8(at),
  i1: (view, at) => view.getInt8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  i2: (view, at, little) => view.getInt16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
}
