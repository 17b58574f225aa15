import { parquetMetadata, parquetReadObjects, parquetSchema, type FileMetaData } from 'hyparquet'
import { z } from 'zod'
import { FormatError } from './files.ts'
import { checkFooter, checkPages, checkRows, decompressors } from './parquet-guard.ts'

/** A parquet file in memory, of which some columns are read. */
export interface ParquetFile {
  readonly columns: readonly string[]
  /**
   * The names of a column's values, if Hugging Face's library recorded them. Throws a FormatError.
   */
  namesOf(column: string): readonly string[] | undefined
  /** The rows with these columns. Throws a FormatError. */
  rows(columns: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/**
 * Opens a parquet file. parquet-guard.ts checks the claims of the file first, which the library
 * trusts. Throws a FormatError.
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
      orFormatError(() => {
        checkPages(bytes, metadata, wanted)
      })
      const file = {
        byteLength: bytes.length,
        slice: (start: number, end?: number) =>
          Promise.resolve(Uint8Array.from(bytes.subarray(start, end)).buffer),
      }
      const options = { file, metadata, columns: [...wanted], compressors: decompressors, utf8: false }
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
    throw error instanceof FormatError ? error : unreadable(error)
  }
}

/** Converts an error of the library. Only its messages about parquet are useful to users. */
function unreadable(error: unknown): FormatError {
  const message = error instanceof Error ? error.message : ''
  return new FormatError(`cannot be read: ${message.startsWith('parquet') ? message : 'it is damaged'}`)
}
