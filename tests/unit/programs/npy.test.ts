import { expect, test } from 'vitest'
import { decodeNpy, integersOf } from '../../../datasets/npy.ts'
import { integersNpy, npyHeader } from '../../../programs/npy.ts'

/** The header that NumPy 2.4.6 writes for an array, with its padding. */
const header = (text: string) =>
  Buffer.concat([
    Buffer.from('\x93NUMPY', 'latin1'),
    Buffer.from([1, 0, 118, 0]),
    Buffer.from(`${text.padEnd(117)}\n`),
  ])

test.each([
  ['uint8', [2, 3], "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }"],
  ['uint8', [60_000, 32, 32, 3], "{'descr': '|u1', 'fortran_order': False, 'shape': (60000, 32, 32, 3), }"],
  ['int64', [3], "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }"],
] as const)('the header of %s of shape %j is that of NumPy', (dtype, shape, text) => {
  expect(Buffer.from(npyHeader(dtype, shape))).toEqual(header(text))
})

test('a vector of whole numbers is written as NumPy does', () => {
  const file = Buffer.from(integersNpy(Int32Array.of(-1, 2 ** 31 - 1)))
  expect(file.subarray(128).toString('hex')).toBe('ffffffffffffffffffffff7f00000000')
})

test('whole numbers are read as they were written', () => {
  const values = [-(2 ** 31), -7, 0, 7, 2 ** 31 - 1]
  expect(integersOf(decodeNpy(Buffer.from(integersNpy(Int32Array.from(values)))))).toEqual(values)
})
