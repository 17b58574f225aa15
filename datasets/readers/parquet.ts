import { join } from 'node:path'
import type { Dataset, DatasetReader, DataSpecOf, ReadOptions } from '../dataset.ts'
import { collectProblems, dataError, filesBelow, FormatError, inFile, readDataFile } from '../files.ts'
import { matchesGlob } from '../glob.ts'
import { classNames } from '../labels.ts'
import { unnamedPlace } from '../missing.ts'
import { openParquet, type ParquetFile } from '../parquet-file.ts'
import { decodePictures, pictureDataset } from '../pictures.ts'

type ParquetSpec = DataSpecOf<'parquet'>

/**
 * Images in parquet files in Hugging Face's layout: a column of {bytes, path} or bytes, and a
 * column of integers.
 */
export const reader: DatasetReader<ParquetSpec> = {
  defaultLocation({ name }) {
    throw unnamedPlace(name)
  },
  isDataFile: (_, name) => /\.parquet$/i.test(name),
  inspect: async (spec, directory, reading) => (await read(spec, directory, reading)).facts,
  read,
}

const advice = 'get the file anew, or name others in data'

async function read(spec: ParquetSpec, directory: string, reading: ReadOptions): Promise<Dataset> {
  const files = await filesOf(spec, directory)
  const load = keepLatest(async (file: (typeof files)[number]) => {
    const { name, path } = file
    const { content, source } = await readDataFile(directory, name, { known: undefined, path, advice })
    const rows = await inFile(join(directory, name), { path, advice }, () => decodeParquet(content, spec))
    return { ...rows, source }
  })
  const parts = await collectProblems(
    files.map((file) => async () => {
      const { labels, names, ids, source } = await load(file)
      const encoded = labels.map((label, i) => ({
        name: `${file.name} row ${i}`,
        label,
        bytes: async () => {
          const again = await load(file)
          if (again.source.sha256 !== source.sha256)
            throw new Error(`${join(directory, file.name)} was changed while it was read`)
          return again.images[i] ?? new Uint8Array()
        },
      }))
      return { ...file, encoded, names, ids, source }
    }),
  )
  const [{ names, path, source } = { names: undefined, path: '', source: { name: '' } }] = parts
  const odd = parts.find((part) => (part.names ?? []).join('\n') !== (names ?? []).join('\n'))
  if (odd)
    throw dataError(odd.path, `${odd.source.name} has other names of classes than ${source.name}; ${advice}`)
  const encoded = parts.flatMap((part) => part.encoded)
  const classes = await inFile(directory, { path, advice }, () =>
    classNames(
      encoded.map(({ label }) => label),
      names,
    ),
  )
  const pictures = await decodePictures(encoded, spec, { directory, path: 'data.image', ...reading })
  const given = parts.reduce((sum, part) => sum + (part.set === 'train' ? part.encoded.length : 0), 0)
  return pictureDataset(
    pictures,
    { name: spec.name, classes, sources: parts.map((part) => part.source) },
    given,
    parts.flatMap(({ ids, encoded }) => ids ?? encoded.map(({ name }) => name)),
  )
}

/** The data files, training files first, in the order of the patterns and then of names. */
async function filesOf(spec: ParquetSpec, directory: string) {
  const there = (await filesBelow(directory)).filter((name) => name.endsWith('.parquet'))
  const sets = [
    { set: 'train' as const, patterns: spec.train },
    { set: 'test' as const, patterns: typeof spec.test === 'number' ? [] : spec.test },
  ]
  const taken = new Map<string, string>()
  return sets.flatMap(({ set, patterns }) =>
    patterns.flatMap((pattern, i) => {
      const path = `data.${set}[${i}]`
      const names = there.filter(matchesGlob(pattern))
      if (names.length === 0)
        throw dataError(
          path,
          `${directory} holds no parquet file "${pattern}"; it holds ${there.join(', ') || 'none at all'}` +
            (set === 'test'
              ? '. Name others as data.test, or give a share such as 0.2'
              : '. Name others as data.train'),
        )
      return names.map((name) => {
        const earlier = taken.get(name)
        if (earlier !== undefined) throw dataError(path, `${name} is ${earlier} already; name each file once`)
        taken.set(name, path)
        return { name, set, path }
      })
    }),
  )
}

/** Caches the latest result only, so that a single file is in memory. Files are read in order. */
function keepLatest<K, V>(work: (key: K) => Promise<V>): (key: K) => Promise<V> {
  let last: { readonly key: K; readonly value: Promise<V> } | undefined
  return (key) => {
    if (!last || last.key !== key) last = { key, value: work(key) }
    return last.value
  }
}

/** The encoded images of a file, their labels and the names of the labels. Throws a FormatError. */
export async function decodeParquet(
  bytes: Uint8Array,
  spec: Pick<ParquetSpec, 'image' | 'label'> & Partial<Pick<ParquetSpec, 'id'>>,
) {
  const file = openParquet(bytes)
  const image = columnOf(file, 'image', spec.image, ['image', 'img'])
  const label = columnOf(file, 'label', spec.label, ['label', 'labels', 'fine_label'])
  const id = spec.id === undefined ? undefined : columnOf(file, 'id', spec.id, [])
  const rows = await file.rows([image, label, ...(id === undefined ? [] : [id])])
  const ids = rows.map((row) => (id === undefined ? pathOf(row[image]) : idOf(row[id])))
  return {
    /** Absent if a row has none. */
    ...(ids.every((one) => one !== undefined) && { ids }),
    images: rows.map((row) => bytesOf(row[image])),
    labels: rows.map((row, i) => {
      const value = row[label]
      if (typeof value !== 'bigint' && typeof value !== 'number')
        throw new FormatError(`has no whole number as "${label}" in row ${i}`)
      return Number(value)
    }),
    names: file.namesOf(label),
  }
}

/** The bytes of an image. An image without bytes cannot be decoded, which is reported later. */
function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  const { bytes } = (value ?? {}) as { readonly bytes?: unknown }
  return bytes instanceof Uint8Array ? bytes : new Uint8Array()
}

/** The name of the file that an image was read from, if the column has it. */
function pathOf(value: unknown): string | undefined {
  const { path } = (value ?? {}) as { readonly path?: unknown }
  return typeof path === 'string' && path !== '' ? path : undefined
}

/** The id of a row as text. Undefined if it is neither text nor a number. */
function idOf(value: unknown): string | undefined {
  return ['string', 'number', 'bigint'].includes(typeof value) ? String(value) : undefined
}

function columnOf(
  { columns }: ParquetFile,
  key: string,
  given: string | undefined,
  usual: readonly string[],
): string {
  const found = given === undefined ? usual.filter((name) => columns.includes(name)) : [given]
  const [column, ...others] = found
  const listed = `its columns are ${columns.join(', ')}`
  if (column === undefined || !columns.includes(column))
    throw new FormatError(
      `has no column "${column ?? usual.join('" or "')}"; ${listed}; name one as data.${key}`,
    )
  if (others.length > 0)
    throw new FormatError(
      `has several columns that may be the ${key}: ${found.join(', ')}; name one as data.${key}`,
    )
  return column
}
