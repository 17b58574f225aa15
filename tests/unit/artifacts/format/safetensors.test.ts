import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeTensors,
  encodeTensors,
  type WritableTensor,
  type Tensors,
} from '../../../../artifacts/format/safetensors.ts'

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
  .filter((text) => text !== '__metadata__')
const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 3 })
const tensor: fc.Arbitrary<WritableTensor> = fc
  .tuple(shape, fc.constantFrom('F32', 'I32', 'I64', 'U8'), fc.integer())
  .map(([sides, dtype, seed]) => {
    const size = sides.reduce((product, side) => product * side, 1)
    const value = (_: unknown, i: number) => (seed + 31 * i) % 200
    if (dtype === 'F32')
      return { dtype, shape: sides, values: Float32Array.from({ length: size }, (_, i) => value(_, i) / 3) }
    if (dtype === 'I32') return { dtype, shape: sides, values: Int32Array.from({ length: size }, value) }
    if (dtype === 'I64') {
      const whole = (_: unknown, i: number) => seed * 2 ** 21 + i
      return { dtype, shape: sides, values: Float64Array.from({ length: size }, whole) }
    }
    return { dtype: 'U8' as const, shape: sides, values: Uint8Array.from({ length: size }, value) }
  })
const tensors = fc.dictionary(name, tensor, { maxKeys: 5 })

test('what is encoded comes back, also from an odd offset', () => {
  fc.assert(
    fc.property(tensors, fc.integer({ min: 0, max: 3 }), (some, shift) => {
      const bytes = encodeTensors(some, { format: 'pt' })
      const moved = new Uint8Array(bytes.length + shift)
      moved.set(bytes, shift)
      const decoded = decodeTensors(moved.subarray(shift))
      expect(decoded.metadata).toEqual({ format: 'pt' })
      expect({ ...decoded.tensors }).toEqual({ ...some })
    }),
  )
})

test('names that mean something to JavaScript or to the format are not lost', () => {
  const one: WritableTensor = { dtype: 'U8', shape: [1], values: Uint8Array.of(7) }
  const some = Object.fromEntries(['__proto__', 'constructor', '1', '0'].map((key) => [key, one]))
  expect(Object.entries(decodeTensors(encodeTensors(some)).tensors).sort()).toEqual(
    Object.entries(some).sort(),
  )
  expect(() => encodeTensors({ __metadata__: one })).toThrow('__metadata__')
})

test('the order of insertion does not change a byte, and data start at a multiple of eight', () => {
  fc.assert(
    fc.property(tensors, (some) => {
      const bytes = encodeTensors(some)
      expect(encodeTensors(Object.fromEntries(Object.entries(some).reverse()))).toEqual(bytes)
      expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0)
    }),
  )
})

test('a damaged file is an error or a right answer, and never needs more memory than it has bytes', () => {
  fc.assert(
    fc.property(
      tensors,
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (some, changes, cut) => {
        const bytes = encodeTensors(some)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const damaged = bytes.subarray(0, bytes.length - (cut % 3 === 0 ? cut % bytes.length : 0))
        let decoded: Tensors
        try {
          decoded = decodeTensors(damaged).tensors
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          expect((error as Error).message).toMatch(/tensor|safetensors/)
          return
        }
        const held = Object.values(decoded).reduce((sum, { values }) => sum + values.byteLength, 0)
        expect(held).toBeLessThanOrEqual(damaged.length)
      },
    ),
    { numRuns: 2000 },
  )
})

test.each([
  [
    { t: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } },
    'the tensor "t" has the type "F64", expected one of F32, F16, BF16, I32, I64, U8',
  ],
  [
    { t: { dtype: 'F32', shape: [3], data_offsets: [0, 8] } },
    'the tensor "t" has 8 bytes, its shape [3] takes 12',
  ],
  [
    { t: { dtype: 'F32', shape: [4], data_offsets: [0, 16] } },
    'the tensor "t" has the bytes 0 to 16, of 8 that are there',
  ],
  [
    {
      a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] },
      b: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
    },
    'the tensor "b" begins at byte 4, expected 8',
  ],
  [
    { t: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 8] } },
    'the tensor "t" has 8 bytes, its shape [1099511627776, 1099511627776] takes',
  ],
  [{ t: null }, 'the tensor "t" has the type none, expected one of F32, F16, BF16, I32, I64, U8'],
  [{ __metadata__: { step: 1 } }, 'the safetensors metadata are not a mapping of texts'],
  [{ t: { dtype: 'F32', shape: [1], data_offsets: [4, 8] } }, 'the tensor "t" begins at byte 4, expected 0'],
  [{ t: { dtype: 'F32', shape: [1], data_offsets: [0, 4] } }, '4 bytes after the last tensor belong to none'],
  [
    { t: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } },
    'the tensor "t" has no shape of whole numbers',
  ],
])('%j is refused by name', (header, message) => {
  const text = new TextEncoder().encode(JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + 8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  expect(() => decodeTensors(bytes)).toThrow(message)
})

test('a header longer than the file, or no header at all, is refused', () => {
  expect(() => decodeTensors(new Uint8Array(3))).toThrow('3 bytes')
  expect(() => decodeTensors(new Uint8Array(16).fill(255))).toThrow('its header takes')
})

test('whole numbers that a double does not hold exactly are refused, not rounded', () => {
  const bytes = encodeTensors({ t: { dtype: 'I64', shape: [1], values: Float64Array.of(2 ** 53 - 1) } })
  new DataView(bytes.buffer).setBigInt64(bytes.length - 8, 2n ** 53n, true)
  expect(() => decodeTensors(bytes)).toThrow('the tensor "t" holds numbers beyond 2^53')
})

const fixtures = fileURLToPath(new URL('../../../../shared/fixtures/huggingface', import.meta.url))
const folders = existsSync(fixtures)
  ? readdirSync(fixtures, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  : []
describe.skipIf(folders.length === 0)(
  'files written by the libraries themselves (skipped where ../shared/fixtures/huggingface is not there)',
  () => {
    test.each(folders.flatMap(({ name: folder }) => filesIn(folder)))(
      '%s is read whole, and written again it reads the same',
      (file) => {
        const bytes = readFileSync(`${fixtures}/${file}`)
        const { tensors: read, metadata } = decodeTensors(bytes)
        const length = Number(bytes.readBigUInt64LE(0))
        const { __metadata__, ...header } = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<
          string,
          { readonly shape: readonly number[] }
        >
        expect(metadata).toEqual(__metadata__ ?? {})
        expect(Object.keys(header).length).toBeGreaterThan(0)
        expect(Object.fromEntries(Object.entries(read).map(([key, { shape }]) => [key, shape]))).toEqual(
          Object.fromEntries(Object.entries(header).map(([key, { shape }]) => [key, shape])),
        )
        for (const { values } of Object.values(read))
          expect(values.every((value) => Number.isFinite(value))).toBe(true)
        // The fixtures are float32.
        const written = encodeTensors(read as Readonly<Record<string, WritableTensor>>, metadata)
        expect(decodeTensors(written).tensors).toEqual(read)
      },
    )
  },
)

function filesIn(folder: string): readonly string[] {
  return readdirSync(`${fixtures}/${folder}`)
    .filter((file) => file.endsWith('.safetensors'))
    .map((file) => `${folder}/${file}`)
}
