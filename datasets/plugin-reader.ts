import { z } from 'zod'
import { errorMessage, UserError } from '../common/errors.ts'
import { ownCitation } from '../experiment/spec/dataset.ts'
import { inMemory, type Dataset, type DatasetReader, type DataSpecOf } from './dataset.ts'
import type { ReadData, ReaderDefinition, ReadSamples } from './define-reader.ts'
import { countLabels, dataError, filesBelow, FormatError, readDataFile } from './files.ts'
import { classNames } from './labels.ts'
import { unnamedPlace } from './missing.ts'

type PluginData = DataSpecOf<'plugin'>

/** The reader that a plug-in defines. It gets the contents of files, and returns all samples. */
export function pluginReader(definition: ReaderDefinition): DatasetReader<PluginData> {
  return {
    defaultLocation() {
      throw unnamedPlace(definition.name)
    },
    isDataFile: ({ options }, name) => definition.isDataFile?.(name, options) ?? true,
    inspect: async (spec, directory) => (await read(definition, spec, directory)).facts,
    read: (spec, directory) => read(definition, spec, directory),
  }
}

async function read(
  definition: ReaderDefinition,
  { options }: PluginData,
  directory: string,
): Promise<Dataset> {
  const { name } = definition
  const refuse = (reason: string): never => {
    throw dataError('data.name', `the reader ${name} cannot read ${directory}: ${reason}`)
  }
  const files = (await filesBelow(directory)).filter((file) => definition.isDataFile?.(file, options) ?? true)
  if (files.length === 0)
    throw dataError(
      'data.from',
      `${directory} has no file that the reader ${name} takes; name the directory that does`,
    )
  const contents = new Map<string, Uint8Array>()
  const sources = []
  for (const file of files) {
    const advice = `leave it out by isDataFile of the reader ${name}, or make it readable`
    const { content, source } = await readDataFile(directory, file, {
      known: undefined,
      path: 'data.from',
      advice,
    })
    contents.set(file, content)
    sources.push(source)
  }
  const found: unknown = await Promise.resolve()
    .then(() => definition.read(contents, options))
    .catch((error: unknown) => {
      if (error instanceof UserError) throw error
      return refuse(errorMessage(error))
    })
  try {
    const { shape, classes, train, test, citation } = checked(found)
    const parts = [train, ...(test ? [test] : [])]
    const labels = parts.map((part) => Array.from(part.labels))
    classNames(labels.flat(), classes)
    const names = parts.flatMap((part) => part.names ?? [])
    return {
      facts: {
        name,
        shape,
        classes,
        train: countLabels(labels[0] ?? [], classes.length),
        test: countLabels(labels[1] ?? [], classes.length),
        sources,
        citation: citation ?? ownCitation,
      },
      labels: Int32Array.from(labels.flat()),
      images: inMemory(Buffer.concat(parts.map(({ images }) => images)), shape),
      trainable: train.labels.length,
      ...(names.length > 0 && { names }),
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return refuse(`what it returns ${error.message}`)
  }
}

const side = z.int().min(1).max(2048)
const samplesSchema = z.strictObject({
  images: z.instanceof(Uint8Array),
  labels: z.custom<ArrayLike<number>>(
    (value) => Array.isArray(value) || ArrayBuffer.isView(value),
    'a list of numbers',
  ),
  names: z.array(z.string().min(1)).readonly().exactOptional(),
})
const dataSchema = z.strictObject({
  shape: z.tuple([side, side, z.int().min(1).max(16)]).readonly(),
  classes: z.array(z.string().min(1)).min(1).readonly(),
  train: samplesSchema,
  test: samplesSchema.exactOptional(),
  citation: z.string().min(1).exactOptional(),
}) satisfies z.ZodType<ReadData>

/** Returns what a reader returned if it is as ReadData describes it. Throws a FormatError. */
function checked(value: unknown): ReadData {
  const { data, error } = dataSchema.safeParse(value)
  if (!data) {
    const [first] = error.issues
    throw new FormatError(`is not as expected: ${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`)
  }
  const size = data.shape[0] * data.shape[1] * data.shape[2]
  const named = (part: ReadSamples | undefined) => part === undefined || part.names !== undefined
  const isNamed = data.train.names !== undefined
  for (const set of ['train', 'test'] as const) {
    const part = data[set]
    if (!part) continue
    const count = part.labels.length
    if (part.images.length !== count * size)
      throw new FormatError(
        `has ${part.images.length} bytes as ${set}.images, and ${count} labels of images of ${data.shape.join('×')}; expected ${count * size} bytes`,
      )
    if (part.names && part.names.length !== count)
      throw new FormatError(`has ${part.names.length} names and ${count} labels in ${set}; expected one each`)
  }
  if (data.test && isNamed !== named(data.test))
    throw new FormatError('has names of one set only; expected them for both, or for none')
  return data
}
