import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ownCitation } from '../../experiment/spec/dataset.ts'
import type { Shape } from '../../experiment/models/layers.ts'
import { inMemory, type Dataset, type DatasetReader, type DataSpecOf } from '../dataset.ts'
import { countLabels, dataError, FormatError, inFile, readDataFile } from '../files.ts'
import { classNames } from '../labels.ts'
import { unnamedPlace } from '../missing.ts'
import { decodeNpy, integersOf, type NpyArray } from '../npy.ts'
import { openZip, type Archived } from '../zip.ts'

type NpzSpec = DataSpecOf<'npz'>

/**
 * Byte arrays in NumPy's .npz format: images [n, h, w], [n, h, w, c] or [n, c, h, w], and labels
 * [n].
 */
export const reader: DatasetReader<NpzSpec> = {
  defaultLocation({ name }) {
    throw unnamedPlace(name)
  },
  isDataFile: (_, name) => /\.npz$/i.test(name),
  inspect: async (spec, directory) => (await read(spec, directory)).facts,
  read,
}

interface Part {
  readonly images: Uint8Array
  readonly shape: Shape
  readonly labels: readonly number[]
}

const advice = 'correct the file, or name other arrays in data'

async function read(spec: NpzSpec, directory: string): Promise<Dataset> {
  const name = await fileIn(directory, spec)
  const { content, source } = await readDataFile(directory, name, {
    known: undefined,
    path: 'data.file',
    advice,
  })
  const { train, test, classes } = await inFile(join(directory, name), { path: 'data.file', advice }, () =>
    decodeNpz(content, spec),
  )
  const parts = [train, ...(test ? [test] : [])]
  return {
    facts: {
      name: spec.name,
      shape: train.shape,
      classes,
      train: countLabels(train.labels, classes.length),
      test: countLabels(test?.labels ?? [], classes.length),
      sources: [source],
      citation: ownCitation,
    },
    labels: Int32Array.from(parts.flatMap(({ labels }) => labels)),
    images: inMemory(Buffer.concat(parts.map(({ images }) => images)), train.shape),
    trainable: train.labels.length,
  }
}

/** The file that the spec names, or the only one in the directory. Throws a UserError. */
async function fileIn(directory: string, { file }: NpzSpec): Promise<string> {
  if (file !== undefined) return file
  const found = (await readdir(directory)).filter((name) => name.toLowerCase().endsWith('.npz')).sort()
  if (found.length === 1 && found[0] !== undefined) return found[0]
  throw dataError(
    'data.from',
    found.length === 0
      ? `${directory} holds no .npz file; name the directory that does as data.from`
      : `${directory} holds ${found.length} .npz files (${found.join(', ')}); name one as data.file`,
  )
}

/** Decodes the training and test parts and the names of the classes. Throws a FormatError. */
export async function decodeNpz(bytes: Buffer, spec: NpzSpec) {
  const archive = await openZip(bytes)
  const { train, test } = arraysOf(archive, spec)
  const parts = {
    train: await partOf(archive, train, spec),
    test: test && (await partOf(archive, test, spec)),
  }
  if (parts.test && parts.test.shape.join() !== parts.train.shape.join())
    throw new FormatError(
      `has test images of ${parts.test.shape.join(' × ')} and training images of ${parts.train.shape.join(' × ')}, expected one size`,
    )
  return {
    ...parts,
    classes: classNames([...parts.train.labels, ...(parts.test?.labels ?? [])], spec.classes),
  }
}

/** The names of the arrays, given in the spec or usual. */
function arraysOf({ names }: Archived, spec: NpzSpec) {
  const has = (array: string) => names.includes(`${array}.npy`)
  const pick = (given: string | undefined, ...usual: readonly string[]) => given ?? usual.find(has)
  const wanted = (key: string, array: string | undefined) => {
    if (array !== undefined && has(array)) return array
    const arrays = names.map((name) => name.replace(/\.npy$/, '')).join(', ') || 'none'
    throw new FormatError(
      `has no array ${array ?? `of ${key} under a usual name`}; its arrays are ${arrays}; name one as data.${key}`,
    )
  }
  const train = {
    images: wanted('images', pick(spec.images, 'x_train', 'images')),
    labels: wanted('labels', pick(spec.labels, 'y_train', 'labels')),
  }
  const images = pick(spec.testImages, 'x_test')
  const labels = pick(spec.testLabels, 'y_test')
  const apart = images !== undefined || labels !== undefined
  if (apart && spec.test !== undefined)
    throw new FormatError(
      `has test images of its own (${images ?? ''}), and data.test takes a share of the others too; leave it out`,
    )
  if (!apart && spec.test === undefined)
    throw new FormatError(
      'has no test images; name them as data.testImages, or give a share as data.test, such as 0.2',
    )
  return {
    train,
    test: apart ? { images: wanted('testImages', images), labels: wanted('testLabels', labels) } : undefined,
  }
}

async function partOf(
  archive: Archived,
  names: { readonly images: string; readonly labels: string },
  { layout }: NpzSpec,
): Promise<Part> {
  const array = async (name: string, decode: (array: NpyArray) => NpyArray) => {
    const content = await archive.read(`${name}.npy`)
    return about(name, () => decode(decodeNpy(content)))
  }
  const images = await array(names.images, imagesOf)
  const labels = await array(names.labels, (found) => {
    if (found.shape.length === 1 || (found.shape.length === 2 && found.shape[1] === 1)) return found
    throw new FormatError(`has ${shapeText(found.shape)}, expected one label an image`)
  })
  const classes = about(names.labels, () => integersOf(labels))
  const [count = 0] = images.shape
  if (count !== classes.length)
    throw new FormatError(
      `has ${count} images in ${names.images} and ${classes.length} labels in ${names.labels}`,
    )
  return { ...about(names.images, () => toNhwc(images, layout)), labels: classes }
}

/** Adds the name of the array to a FormatError. */
function about<T>(array: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof FormatError) throw new FormatError(`has an array ${array} that ${error.message}`)
    throw error
  }
}

function imagesOf(array: NpyArray): NpyArray {
  const { dtype, shape } = array
  if (dtype !== '|u1')
    throw new FormatError(
      `is of type ${dtype}, expected bytes (uint8); save it as ` +
        `${/^.f/.test(dtype) ? '(255 * images).round()' : 'images'}.astype(numpy.uint8)`,
    )
  if (shape.length !== 3 && shape.length !== 4)
    throw new FormatError(`has ${shapeText(shape)}, expected [n, height, width] or four dimensions`)
  if (shape.some((side) => side === 0)) throw new FormatError(`is empty: its shape is ${shape.join(' × ')}`)
  return array
}

function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'no dimensions' : `the shape ${shape.join(' × ')}`
}

function toNhwc({ shape, values }: NpyArray, layout: NpzSpec['layout']): Pick<Part, 'images' | 'shape'> {
  const [n = 0, a = 0, b = 0, c = 1] = shape
  const [height, width, channels] = layout === 'nchw' && shape.length === 4 ? [b, c, a] : [a, b, c]
  if (channels !== 1 && channels !== 3)
    throw new FormatError(
      `has images of ${channels} channels, expected 1 or 3; ` +
        `set data.layout to ${layout === 'nchw' ? 'nhwc' : 'nchw'} if they come ${layout === 'nchw' ? 'last' : 'first'}`,
    )
  if (layout === 'nhwc' || channels === 1) return { images: values, shape: [height, width, channels] }
  const plane = height * width
  const images = new Uint8Array(values.length)
  for (let image = 0; image < n; image++)
    for (let channel = 0; channel < channels; channel++)
      for (let p = 0; p < plane; p++)
        images[(image * plane + p) * channels + channel] =
          values[(image * channels + channel) * plane + p] ?? 0
  return { images, shape: [height, width, channels] }
}
