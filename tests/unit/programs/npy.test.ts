import { expect, test } from 'vitest'
import { decodeNpy, integersNpy, npyHeader } from '../../../programs/npy.ts'

/** The files that NumPy 2.4.6 wrote for these arrays: the header with its padding, the values. */
const file = (header: string, values: string, version = [1, 0, 118, 0]) =>
  Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from(version),
    Buffer.from(header.padEnd(127 - 6 - version.length) + '\n'),
    Buffer.from(values, 'hex'),
  ])

const numpy = {
  'np.arange(6, dtype="<f4").reshape(2, 3) / 2': {
    bytes: file(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
      '000000000000003f0000803f0000c03f0000004000002040',
    ),
    array: { dtype: 'float32', shape: [2, 3], values: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5) },
  },
  'np.array([-1, 2**31 - 1], dtype="<i8")': {
    bytes: file(
      "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }",
      'ffffffffffffffffffffff7f00000000',
    ),
    array: { dtype: 'int64', shape: [2], values: BigInt64Array.of(-1n, 2147483647n) },
  },
  'np.array([1, 2, 3], dtype="u1")': {
    bytes: file("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", '010203'),
    array: { dtype: 'uint8', shape: [3], values: Uint8Array.of(1, 2, 3) },
  },
  'np.array(2.5)': {
    bytes: file("{'descr': '<f8', 'fortran_order': False, 'shape': (), }", '0000000000000440'),
    array: { dtype: 'float64', shape: [], values: Float64Array.of(2.5) },
  },
  'np.zeros((0, 3))': {
    bytes: file("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 3), }", ''),
    array: { dtype: 'float64', shape: [0, 3], values: Float64Array.of() },
  },
} as const

test.each(Object.entries(numpy))('%s is read and written as NumPy does', (_, { bytes, array }) => {
  expect(decodeNpy(bytes)).toEqual(array)
  expect(Buffer.from(npyHeader(array.dtype, array.shape))).toEqual(bytes.subarray(0, 128))
})

test('a vector of whole numbers is written as NumPy does', () => {
  const { bytes } = numpy['np.array([-1, 2**31 - 1], dtype="<i8")']
  expect(Buffer.from(integersNpy(Int32Array.of(-1, 2 ** 31 - 1)))).toEqual(bytes)
  const values = Int32Array.of(-(2 ** 31), 7, -7)
  expect(decodeNpy(integersNpy(values)).values).toEqual(BigInt64Array.from(values, BigInt))
})

test('version 2 is read', () => {
  const header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }"
  expect(decodeNpy(file(header, '000000000000f83f', [2, 0, 116, 0, 0, 0])).values).toEqual(
    Float64Array.of(1.5),
  )
})

test('a file at any place in memory is read', () => {
  const { bytes, array } = numpy['np.arange(6, dtype="<f4").reshape(2, 3) / 2']
  expect(decodeNpy(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3))).toEqual(array)
})

test.each([
  ['', 'the file is not in the .npy format'],
  ['PK\x03\x04 and more of an archive', 'the file is not in the .npy format'],
  ['\x93NUMPY\x03\x00\x04\x00\x00\x00    ', 'has version 3 of the .npy format, expected 1 or 2'],
  ['\x93NUMPY\x01\x00\xff\xff    ', 'the file is truncated: it ends inside its header'],
])('%j is refused', (text, says) => {
  expect(() => decodeNpy(Buffer.from(text, 'latin1'))).toThrow(says)
})
