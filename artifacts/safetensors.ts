/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header with each tensor's dtype, shape and byte
 * range, then the bytes. Names are written in order, so that the same tensors give the same bytes.
 */
export type TensorData =
  | { readonly dtype: 'F32'; readonly shape: readonly number[]; readonly values: Float32Array }
  | { readonly dtype: 'I32'; readonly shape: readonly number[]; readonly values: Int32Array }
  | { readonly dtype: 'U8'; readonly shape: readonly number[]; readonly values: Uint8Array }

export type Tensors = Readonly<Record<string, TensorData>>

const arrays = { F32: Float32Array, I32: Int32Array, U8: Uint8Array } as const

export function encodeTensors(tensors: Tensors, metadata?: Readonly<Record<string, string>>): Uint8Array {
  const names = Object.keys(tensors).sort()
  if (names.includes('__metadata__'))
    throw new Error('no tensor can be called "__metadata__": the format keeps that name for the metadata')
  const header: [string, unknown][] = metadata ? [['__metadata__', metadata]] : []
  let offset = 0
  for (const name of names) {
    const { dtype, shape, values } = tensors[name] as TensorData
    if (product(shape) !== values.length) {
      throw new Error(
        `the tensor "${name}" has ${values.length} values, its shape [${shape.join(', ')}] takes ${product(shape)}`,
      )
    }
    header.push([name, { dtype, shape, data_offsets: [offset, (offset += values.byteLength)] }])
  }
  const json = JSON.stringify(Object.fromEntries(header))
  const text = new TextEncoder().encode(json.padEnd(json.length + (-Buffer.byteLength(json) & 7)))
  const bytes = new Uint8Array(8 + text.length + offset)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  let at = 8 + text.length
  for (const name of names) {
    const { values } = tensors[name] as TensorData
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += values.byteLength
  }
  return bytes
}

/** The tensors are views of `bytes` where their offset allows it, copies elsewhere. */
export function decodeTensors(bytes: Uint8Array): {
  readonly tensors: Tensors
  readonly metadata: Readonly<Record<string, string>>
} {
  if (bytes.length < 8)
    throw new Error(`not a safetensors file: ${bytes.length} bytes, the header's length alone takes 8`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const start = 8 + length
  if (start > bytes.length)
    throw new Error(`not a safetensors file: its header takes ${length} bytes, ${bytes.length - 8} follow`)
  const header = parseHeader(bytes.subarray(8, start))
  const tensors: [string, TensorData][] = []
  const ranges: { name: string; begin: number; end: number }[] = []
  let metadata: Readonly<Record<string, string>> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isTexts(entry)) throw new Error('the safetensors metadata are not a mapping of texts')
      metadata = entry
      continue
    }
    const { dtype, shape, begin, end } = parseEntry(name, entry, bytes.length - start)
    ranges.push({ name, begin, end })
    const type = arrays[dtype]
    const first = bytes.byteOffset + start + begin
    const count = (end - begin) / type.BYTES_PER_ELEMENT
    const values =
      first % type.BYTES_PER_ELEMENT === 0
        ? new type(bytes.buffer as ArrayBuffer, first, count)
        : new type(Uint8Array.from(bytes.subarray(start + begin, start + end)).buffer, 0, count)
    tensors.push([name, { dtype, shape, values } as TensorData])
  }
  refuseGaps(ranges, bytes.length - start)
  return { tensors: Object.fromEntries(tensors), metadata }
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
  if (dtype !== 'F32' && dtype !== 'I32' && dtype !== 'U8')
    throw fail(`has the type ${JSON.stringify(dtype)}, expected F32, I32 or U8`)
  if (!isNaturals(shape)) throw fail('has no shape of whole numbers')
  if (!isNaturals(range) || range.length !== 2) throw fail('has no byte range')
  const [begin = 0, end = 0] = range
  if (begin > end || end > available)
    throw fail(`has the bytes ${begin} to ${end}, of ${available} that are there`)
  const expected = product(shape) * arrays[dtype].BYTES_PER_ELEMENT
  if (end - begin !== expected)
    throw fail(`has ${end - begin} bytes, its shape [${shape.join(', ')}] takes ${expected}`)
  return { dtype, shape, begin, end } as const
}

/** The format allows no holes and no overlaps. */
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
