import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { parquetSchema, type ColumnMetaData, type FileMetaData } from 'hyparquet'
import { compressors, decompressZstd } from 'hyparquet-compressors'
import { FormatError } from './files.ts'
import { MOST_EXPANSION } from './gzip.ts'
import { readStruct, type Struct } from './thrift.ts'

/**
 * Checks the claims of a parquet file before a library trusts them. Lists, rows, pages and runs of
 * repeated values must fit their containers, so that nothing is allocated or repeated without
 * limit. The checked values are skipped, not kept. All functions here throw a FormatError.
 */

/**
 * Decompressors whose output is limited to the size in the page's header, which `checkPages` has
 * checked.
 */
export const decompressors = {
  ...compressors,
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { maxOutputLength: length }),
  BROTLI: (input: Uint8Array, length: number) => brotliDecompressSync(input, { maxOutputLength: length }),
  ZSTD: (input: Uint8Array, length: number) => decompressZstd(input, new Uint8Array(length)),
}

export function checkFooter(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = 0x31524150
  if (
    bytes.length < 12 ||
    view.getUint32(0, true) !== magic ||
    view.getUint32(bytes.length - 4, true) !== magic
  )
    throw new FormatError('is no whole parquet file: it does not begin and end with PAR1')
  const length = view.getUint32(bytes.length - 8, true)
  if (length > bytes.length - 12)
    throw new FormatError(`is truncated: its footer takes ${length} bytes, of ${bytes.length} that are there`)
  readStruct(bytes.subarray(0, bytes.length - 8), bytes.length - 8 - length)
}

export function checkRows(bytes: Uint8Array, { num_rows, row_groups }: FileMetaData): void {
  const counts = row_groups.map((group) => Number(group.num_rows))
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (counts.some((count) => count < 0) || total !== Number(num_rows))
    throw new FormatError(`says that it has ${num_rows} rows, and its groups have ${total}`)
  if (total > bytes.length) throw new FormatError(`says that it has ${total} rows in ${bytes.length} bytes`)
}

/** The size of levels and dictionaries, which make up most of a small page. */
const SMALL_PAGE = 65_536

interface Column {
  readonly name: string
  readonly meta: ColumnMetaData
  /** The number of definition levels: one for each optional part of the path. */
  readonly levels: number
  /** The number of rows in the row group. */
  readonly rows: number
}

export function checkPages(bytes: Uint8Array, metadata: FileMetaData, wanted: readonly string[]): void {
  for (const { columns, num_rows } of metadata.row_groups)
    for (const { meta_data: meta } of columns) {
      if (!meta || !wanted.includes(meta.path_in_schema[0] ?? '')) continue
      const name = meta.path_in_schema.join('.')
      const dictionary = Number(meta.dictionary_page_offset ?? 0)
      const begin = dictionary === 0 ? Number(meta.data_page_offset) : dictionary
      const end = begin + Number(meta.total_compressed_size)
      if (!(begin >= 4 && begin <= end && end <= bytes.length))
        throw new FormatError(
          `has the column ${name} in its bytes ${begin} to ${end}, of ${bytes.length} that are there`,
        )
      const column = { name, meta, levels: levelsOf(metadata, meta.path_in_schema), rows: Number(num_rows) }
      const chunk = bytes.subarray(begin, end)
      let at = 0
      while (at < chunk.length - 1) at = checkPage(chunk, at, column)
    }
}

function levelsOf(metadata: FileMetaData, path: readonly string[]): number {
  let levels = 0
  let { children } = parquetSchema(metadata)
  for (const part of path) {
    const found = children.find(({ element }) => element.name === part)
    if (!found || found.element.repetition_type === 'REPEATED')
      throw new FormatError(`has lists in its column ${path[0] ?? ''}, expected one value a row`)
    if (found.element.repetition_type === 'OPTIONAL') levels++
    children = found.children
  }
  return levels
}

/** Field numbers of a page's header, numbers of page types, and encodings that are read. */
const TYPE = 1
const UNPACKED = 2
const PACKED = 3
const DATA = 0
const DICTIONARY = 2
const DATA_V2 = 3
/** The field that describes each page type. */
const HEADERS: Readonly<Record<number, number>> = { [DATA]: 5, [DICTIONARY]: 7, [DATA_V2]: 8 }
const PLAIN = 0
const BY_DICTIONARY = [2, 8]

/** Checks a page and returns the position of the next one. */
function checkPage(chunk: Uint8Array, begin: number, column: Column): number {
  const header = readStruct(chunk, begin)
  const [unpacked = -1, packed = -1] = [header.numbers.get(UNPACKED), header.numbers.get(PACKED)]
  if (packed < 0 || packed > chunk.length - header.end)
    throw wrong(column, 'goes beyond the end of its column')
  if (unpacked < 0 || unpacked > MOST_EXPANSION * packed + SMALL_PAGE)
    throw wrong(column, `says that its ${packed} bytes unpack to ${unpacked}`)
  const page = chunk.subarray(header.end, header.end + packed)
  const type = header.numbers.get(TYPE) ?? -1
  const described = header.structs.get(HEADERS[type] ?? -1)
  if (!described) throw wrong(column, `is of the type ${type} and does not say what is in it`)
  if (type === DATA) checkData(described, unpack(page, unpacked, column), column)
  else if (type === DATA_V2) checkSecond(described, page, unpacked, column)
  else countOf(described, unpacked, column)
  return header.end + packed
}

/** Checks a data page of version 1: levels after their length, then values. */
function checkData(data: Struct, page: Uint8Array, column: Column): void {
  const count = countOf(data, column.rows, column)
  let at = 0
  if (column.levels > 0) {
    if (page.length < 4) throw wrong(column, 'ends before its levels')
    const length = new DataView(page.buffer, page.byteOffset).getUint32(0, true)
    at = 4 + length
    if (at > page.length) throw wrong(column, 'ends within its levels')
    checkRuns(page.subarray(4), widthOf(column.levels), count, column)
  }
  checkValues(page.subarray(at), data.numbers.get(2), count, column)
}

/** Checks a data page of version 2: uncompressed levels with their lengths in the header. */
function checkSecond(data: Struct, page: Uint8Array, unpacked: number, column: Column): void {
  const count = countOf(data, column.rows, column)
  const [nulls = -1, levels = -1, repetitions = -1] = [2, 5, 6].map((field) => data.numbers.get(field))
  if (nulls < 0 || nulls > count) throw wrong(column, `says that ${nulls} of its ${count} values are missing`)
  if (levels < 0 || repetitions !== 0 || levels > Math.min(page.length, unpacked))
    throw wrong(column, 'ends within its levels')
  if (column.levels > 0) checkRuns(page, widthOf(column.levels), count, column)
  const values = page.subarray(levels)
  const isPacked = data.numbers.get(7) !== 0 && unpacked > levels
  checkValues(
    isPacked ? unpack(values, unpacked - levels, column) : values,
    data.numbers.get(4),
    count,
    column,
  )
}

function checkValues(values: Uint8Array, encoding: number | undefined, count: number, column: Column): void {
  if (encoding === PLAIN) return
  if (!BY_DICTIONARY.includes(encoding ?? -1))
    throw wrong(
      column,
      `is encoded in a way that is not read (${encoding ?? 'none'}), expected plain or by dictionary`,
    )
  const [width = 0] = values
  if (width > 32) throw wrong(column, `has indices of ${width} bits`)
  if (width > 0) checkRuns(values.subarray(1), width, count, column)
}

/**
 * Checks runs of one value and bit-packed runs. No run may be longer than the number of values,
 * except for the padding of the last byte.
 */
function checkRuns(bytes: Uint8Array, width: number, count: number, column: Column): void {
  let seen = 0
  for (let at = 0; seen < count && at < bytes.length;) {
    let head = 0
    let shift = 0
    for (let byte = 128; byte >= 128; shift += 7) {
      byte = bytes[at++] ?? 0
      if (shift > 28) throw wrong(column, 'has a run whose length cannot be read')
      head += (byte & 127) * 2 ** shift
    }
    const side = head % 2 === 1
    const run = side ? 8 * ((head - 1) / 2) : head / 2
    if (run > count + 7) throw wrong(column, `repeats ${run} values, and has ${count}`)
    at += side ? (run / 8) * width : Math.ceil(width / 8)
    seen += run
  }
}

const widthOf = (levels: number) => 32 - Math.clz32(levels)

function countOf(data: Struct, most: number, column: Column): number {
  const count = data.numbers.get(1) ?? -1
  if (count < 0 || count > most)
    throw wrong(column, `says that it has ${count} values, expected at most ${most}`)
  return count
}

function unpack(page: Uint8Array, size: number, column: Column): Uint8Array {
  const { codec } = column.meta
  if (codec === 'UNCOMPRESSED') return page
  const decompress = codec === 'LZO' ? undefined : decompressors[codec]
  if (!decompress) throw wrong(column, `is compressed by ${codec}, which is not read`)
  return decompress(page, size)
}

const wrong = ({ name }: Column, what: string) =>
  new FormatError(`has a page of the column ${name} that ${what}`)
