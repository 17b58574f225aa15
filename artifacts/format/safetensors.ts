/**
 * Tensors in the safetensors format: the length of the header as 8 bytes in little-endian order, a
 * JSON header with the dtype, shape and byte range of each tensor, and then the bytes. Names are
 * written in order, so that equal tensors give equal bytes.
 */
export type TensorData =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'I32'; readonly shape: readonly number[]; readonly values: Int32Array }
  /** Counters in the files of other libraries. The values are integers within ±(2⁵³ − 1). */
  | { readonly dtype: 'I64'; readonly shape: readonly number[]; readonly values: Float64Array }
  | { readonly dtype: 'U8'; readonly shape: readonly number[]; readonly values: Uint8Array }
  /** Half-precision values, widened to float32. These types are read but never written. */
  | { readonly dtype: 'F16' | 'BF16'; readonly shape: readonly number[]; readonly values: Float32Array }

export type WritableTensor = Exclude<TensorData, { dtype: 'F16' | 'BF16' }>
export type Tensors = Readonly<Record<string, TensorData>>

const bytesPerValue = { F32: 4, F16: 2, BF16: 2, I32: 4, I64: 8, U8: 1 } as const

/** The bytes of a file. Throws for a shape that does not fit the number of values. */
export function encodeTensors(
  tensors: Readonly<Record<string, WritableTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const names = Object.keys(tensors).sort()
  if (names.includes('__metadata__'))
    throw new Error('no tensor can be called "__metadata__": the format keeps that name for the metadata')
  const header: [string, unknown][] = metadata ? [['__metadata__', metadata]] : []
  let offset = 0
  for (const name of names) {
    const { dtype, shape, values } = tensors[name] as WritableTensor
    if (product(shape) !== values.length) {
      throw new Error(
        `the tensor "${name}" has ${values.length} values, its shape [${shape.join(', ')}] takes ${product(shape)}`,
      )
    }
    header.push([
      name,
      { dtype, shape, data_offsets: [offset, (offset += values.length * bytesPerValue[dtype])] },
    ])
  }
  const json = JSON.stringify(Object.fromEntries(header))
  const text = new TextEncoder().encode(json.padEnd(json.length + (-Buffer.byteLength(json) & 7)))
  const bytes = new Uint8Array(8 + text.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const name of names) {
    const data = bytesOf(tensors[name] as WritableTensor)
    bytes.set(data, at)
    at += data.length
  }
  return bytes
}

/** The type, the shape and the byte range of a tensor. Offsets count from the end of the header. */
export interface TensorEntry {
  readonly dtype: TensorData['dtype']
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

export interface TensorHeader {
  readonly entries: Readonly<Record<string, TensorEntry>>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * The offset at which the header of a file ends. `prefix` is the beginning of the file, at least
 * its first 8 bytes.
 */
export function headerEnd(prefix: Uint8Array, fileBytes: number): number {
  if (prefix.length < 8)
    throw new Error(`not a safetensors file: ${prefix.length} bytes, the header's length alone takes 8`)
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true))
  if (8 + length > fileBytes)
    throw new Error(`not a safetensors file: its header takes ${length} bytes, ${fileBytes - 8} follow`)
  return 8 + length
}

/** Decodes a header. `head` is the first `headerEnd` bytes of the file. */
export function decodeHeader(head: Uint8Array, fileBytes: number): TensorHeader {
  const available = fileBytes - head.length
  const entries: [string, TensorEntry][] = []
  let metadata: Readonly<Record<string, string>> = {}
  for (const [name, entry] of Object.entries(parseHeader(head.subarray(8)))) {
    if (name !== '__metadata__') {
      entries.push([name, parseEntry(name, entry, available)])
      continue
    }
    if (!isTexts(entry)) throw new Error('the safetensors metadata are not a mapping of texts')
    metadata = entry
  }
  refuseGaps(
    entries.map(([name, { begin, end }]) => ({ name, begin, end })),
    available,
  )
  return { entries: Object.fromEntries(entries), metadata }
}

/**
 * Decodes a file. Tensors share memory with `bytes` if their type and alignment allow it, and are
 * copies otherwise.
 */
export function decodeTensors(bytes: Uint8Array): {
  readonly tensors: Tensors
  readonly metadata: Readonly<Record<string, string>>
} {
  const start = headerEnd(bytes, bytes.length)
  const { entries, metadata } = decodeHeader(bytes.subarray(0, start), bytes.length)
  const tensors = Object.entries(entries).map(([name, { dtype, shape, begin, end }]) => {
    const values = valuesOf(name, dtype, bytes.subarray(start + begin, start + end))
    return [name, { dtype, shape, values } as TensorData] as const
  })
  return { tensors: Object.fromEntries(tensors), metadata }
}

function bytesOf({ dtype, values }: WritableTensor): Uint8Array {
  const { buffer, byteOffset, byteLength } =
    dtype === 'I64' ? BigInt64Array.from(values, (value) => BigInt(value)) : values
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Decodes the values of a tensor. `name` is for messages. */
export function valuesOf(name: string, dtype: TensorData['dtype'], data: Uint8Array): TensorData['values'] {
  const { buffer, byteOffset } = data.byteOffset % bytesPerValue[dtype] === 0 ? data : Uint8Array.from(data)
  const count = data.length / bytesPerValue[dtype]
  switch (dtype) {
    case 'F32':
      return new Float32Array(buffer, byteOffset, count)
    case 'I32':
      return new Int32Array(buffer, byteOffset, count)
    case 'U8':
      return new Uint8Array(buffer, byteOffset, count)
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, count), fromHalf)
    case 'BF16': {
      // A bfloat16 is the upper half of a float32.
      const words = Uint32Array.from(new Uint16Array(buffer, byteOffset, count), (bits) => bits << 16)
      return new Float32Array(words.buffer)
    }
    case 'I64': {
      const values = Float64Array.from(new BigInt64Array(buffer, byteOffset, count), Number)
      if (!values.every(Number.isSafeInteger))
        throw new Error(`the tensor "${name}" holds numbers beyond 2^53 − 1, which are not kept exactly`)
      return values
    }
  }
}

/** IEEE 754 binary16: one sign bit, five bits of exponent and ten of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new Error('not a safetensors file: its header is not JSON', { cause })
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    throw new Error('not a safetensors file: its header is not a JSON object')
  }
  return header as Record<string, unknown>
}

function parseEntry(name: string, entry: unknown, available: number) {
  const { dtype, shape, data_offsets: range } = (entry ?? {}) as Partial<Record<string, unknown>>
  const fail = (what: string) => new Error(`the tensor "${name}" ${what}`)
  if (!isType(dtype))
    throw fail(
      `has the type ${JSON.stringify(dtype) ?? 'none'}, expected one of ${Object.keys(bytesPerValue).join(', ')}`,
    )
  if (!isNaturals(shape)) throw fail('has no shape of whole numbers')
  if (!isNaturals(range) || range.length !== 2) throw fail('has no byte range')
  const [begin = 0, end = 0] = range
  if (begin > end || end > available)
    throw fail(`has the bytes ${begin} to ${end}, of ${available} that are there`)
  const expected = product(shape) * bytesPerValue[dtype]
  if (end - begin !== expected)
    throw fail(`has ${end - begin} bytes, its shape [${shape.join(', ')}] takes ${expected}`)
  return { dtype, shape, begin, end } as const
}

/** Throws for gaps and overlaps between tensors, which the format forbids. */
function refuseGaps(ranges: { name: string; begin: number; end: number }[], available: number): void {
  let expected = 0
  for (const { name, begin, end } of ranges.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== expected)
      throw new Error(`the tensor "${name}" begins at byte ${begin}, expected ${expected}`)
    expected = end
  }
  if (expected !== available)
    throw new Error(`${available - expected} bytes after the last tensor belong to none`)
}

function isType(value: unknown): value is TensorData['dtype'] {
  return typeof value === 'string' && Object.hasOwn(bytesPerValue, value)
}

const product = (shape: readonly number[]) => shape.reduce((result, side) => result * side, 1)

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((side) => Number.isSafeInteger(side) && side >= 0)
}

function isTexts(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  )
}
