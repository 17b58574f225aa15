import { parquetMetadata, parquetReadObjects, parquetSchema, type FileMetaData } from 'hyparquet'
import { compressors, decompressZstd } from 'hyparquet-compressors'
import { z } from 'zod'
import { FormatError } from './files.ts'
import { MOST_EXPANSION } from './gzip.ts'
import { readStruct } from './thrift.ts'

/** A parquet file in memory, of which some columns are read. */
export interface ParquetFile {
  readonly columns: readonly string[]
  /** What Hugging Face's library calls the values of a column, where it wrote the file. Throws a FormatError. */
  namesOf(column: string): readonly string[] | undefined
  /** Throws a FormatError. */
  rows(columns: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/**
 * The library believes what headers claim, so that they are looked at before: nothing is allocated for more rows than the
 * file has bytes, or for a page that unpacks to more than it could. Throws a FormatError.
 */
export function openParquet(bytes: Uint8Array): ParquetFile {
  checkFooter(bytes)
  const metadata = orFormatError(() => parquetMetadata(bytes, { geoparquet: false }))
  checkRows(bytes, metadata)
  const columns = orFormatError(() => parquetSchema(metadata).children.map(({ element }) => element.name))
  return {
    columns,
    namesOf: (column) => namesOf(metadata, column),
    async rows(wanted) {
      checkPages(bytes, metadata, wanted)
      const file = {
        byteLength: bytes.length,
        slice: (start: number, end?: number) =>
          Promise.resolve(Uint8Array.from(bytes.subarray(start, end)).buffer),
      }
      const options = { file, metadata, columns: [...wanted], compressors: bounded, utf8: false }
      const rows = await parquetReadObjects(options).catch((error: unknown) => {
        throw unreadable(error)
      })
      const expected = Number(metadata.num_rows)
      if (rows.length !== expected)
        throw new FormatError(`gives ${rows.length} rows, and its header says ${expected}`)
      return rows
    },
  }
}

/** Into a room of the size that the page's header gives, which `checkPages` has found possible. */
const bounded = {
  ...compressors,
  ZSTD: (input: Uint8Array, length: number) => decompressZstd(input, new Uint8Array(length)),
}

function checkFooter(bytes: Uint8Array): void {
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

function checkRows(bytes: Uint8Array, { num_rows, row_groups }: FileMetaData): void {
  const counts = row_groups.map((group) => Number(group.num_rows))
  const total = counts.reduce((sum, count) => sum + count, 0)
  if (counts.some((count) => count < 0) || total !== Number(num_rows))
    throw new FormatError(`says that it has ${num_rows} rows, and its groups have ${total}`)
  if (total > bytes.length) throw new FormatError(`says that it has ${total} rows in ${bytes.length} bytes`)
}

/** Pages hold levels and dictionaries beside the values, which small ones consist of. */
const SMALL_PAGE = 65_536

function checkPages(bytes: Uint8Array, { row_groups }: FileMetaData, wanted: readonly string[]): void {
  for (const { columns, num_rows } of row_groups)
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
      const chunk = bytes.subarray(begin, end)
      let at = 0
      while (at < chunk.length - 1) at = checkPage(chunk, at, Number(num_rows), name)
    }
}

/** Where the next page begins. */
function checkPage(chunk: Uint8Array, begin: number, rows: number, name: string): number {
  const header = readStruct(chunk, begin)
  const [unpacked = -1, packed = -1] = [header.numbers.get(2), header.numbers.get(3)]
  const refuse = (what: string) => new FormatError(`has a page of the column ${name} that ${what}`)
  if (packed < 0 || packed > chunk.length - header.end) throw refuse('goes beyond the end of its column')
  if (unpacked < 0 || unpacked > MOST_EXPANSION * packed + SMALL_PAGE)
    throw refuse(`says that its ${packed} bytes unpack to ${unpacked}`)
  // Of a data page (either version), or of a dictionary.
  for (const [field, most] of [
    [5, rows],
    [8, rows],
    [7, unpacked],
  ] as const) {
    const { numbers } = header.structs.get(field) ?? {}
    if (!numbers) continue
    const values = numbers.get(1) ?? -1
    if (values < 0 || values > most)
      throw refuse(`says that it has ${values} values, expected at most ${most}`)
    const nulls = field === 8 ? (numbers.get(2) ?? 0) : 0
    if (nulls < 0 || nulls > values) throw refuse(`says that ${nulls} of its ${values} values are missing`)
  }
  return header.end + packed
}

const describedSchema = z.object({
  info: z.object({
    features: z.record(z.string(), z.looseObject({ names: z.array(z.string()).optional() }).catch({})),
  }),
})

function namesOf({ key_value_metadata }: FileMetaData, column: string): readonly string[] | undefined {
  const text = key_value_metadata?.find(({ key }) => key === 'huggingface')?.value
  if (text === undefined) return undefined
  try {
    return describedSchema.parse(JSON.parse(text)).info.features[column]?.names
  } catch {
    throw new FormatError(
      'has a description by Hugging Face ("huggingface" in its metadata) that cannot be read',
    )
  }
}

function orFormatError<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw unreadable(error)
  }
}

/** What the library says of bytes that are no parquet; it has no errors of a kind of their own. */
function unreadable(error: unknown): FormatError {
  return new FormatError(`cannot be read: ${error instanceof Error ? error.message : String(error)}`)
}
