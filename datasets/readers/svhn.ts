import { join } from 'node:path'
import type { Shape } from '../../experiment/models/layers.ts'
import { inMemory, type Dataset, type DatasetReader, type DataSpecOf } from '../dataset.ts'
import { collectProblems, countLabels, FormatError, inFile, readDataFile } from '../files.ts'
import { decodeMatlab } from '../matlab.ts'
import { missingFiles } from '../missing.ts'

type SvhnSpec = DataSpecOf<'svhn'>

const PAGE = 'http://ufldl.stanford.edu/housenumbers/'
const SIDE = 32
const SHAPE: Shape = [SIDE, SIDE, 3]
const PLANE = SIDE * SIDE
const IMAGE = 3 * PLANE
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

const PARTS = ['train', 'extra', 'test'] as const

/**
 * The cropped digits of Street View House Numbers (Netzer et al. 2011): X [32, 32, 3, n] and y [n,
 * 1], where 10 stands for zero.
 */
export const reader: DatasetReader<SvhnSpec> = {
  defaultLocation(spec) {
    throw missingFiles(spec.name, partsOf(spec).map(fileOf))
  },
  isDataFile: (spec, name) => partsOf(spec).map(fileOf).includes(name),
  inspect: async (spec, directory) => (await read(spec, directory)).facts,
  read,
}

const fileOf = (part: (typeof PARTS)[number]) => `${part}_32x32.mat`

/** The parts of the data, training parts first. */
function partsOf({ extra }: SvhnSpec): readonly (typeof PARTS)[number][] {
  return PARTS.filter((part) => extra || part !== 'extra')
}

async function read(spec: SvhnSpec, directory: string): Promise<Dataset> {
  const names = partsOf(spec)
  const parts = await collectProblems(
    names.map((part) => async () => {
      const name = fileOf(part)
      const place = {
        path: 'data.name',
        advice: `get the file anew from ${PAGE}, or name another directory as data.from`,
      }
      const { content, source } = await readDataFile(directory, name, { known: undefined, ...place })
      return { source, ...(await inFile(join(directory, name), place, () => decodeSvhn(content))) }
    }),
  )
  const training = parts.slice(0, -1)
  const counts = (some: typeof parts) =>
    countLabels(
      some.flatMap(({ labels }) => [...labels]),
      CLASSES.length,
    )
  return {
    facts: {
      name: spec.name,
      shape: SHAPE,
      classes: CLASSES,
      train: counts(training),
      test: counts(parts.slice(-1)),
      sources: parts.map(({ source }) => source),
      citation:
        'Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu and A. Y. Ng. Reading Digits in Natural Images with Unsupervised ' +
        `Feature Learning. NIPS Workshop on Deep Learning and Unsupervised Feature Learning, 2011. ${PAGE}`,
    },
    labels: Int32Array.from(parts.flatMap(({ labels }) => [...labels])),
    images: inMemory(Buffer.concat(parts.map(({ images }) => images)), SHAPE),
    trainable: training.reduce((sum, { labels }) => sum + labels.length, 0),
  }
}

/** Decodes images [n, 32, 32, 3] and their labels. Throws a FormatError. */
export async function decodeSvhn(bytes: Buffer) {
  const arrays = await decodeMatlab(bytes)
  const [x, y] = [arrays.get('X'), arrays.get('y')]
  if (!x || !y)
    throw new FormatError(
      `has ${arrays.size > 0 ? `the arrays ${[...arrays.keys()].join(', ')}` : 'no arrays'}, expected X and y`,
    )
  // MATLAB omits a last dimension of 1.
  const [height, width, channels, count = 1] = x.shape
  if (
    height !== SIDE ||
    width !== SIDE ||
    channels !== 3 ||
    x.shape.length > 4 ||
    !(x.values instanceof Uint8Array)
  )
    throw new FormatError(`has images X of ${x.shape.join(' × ')} values, expected bytes of 32 × 32 × 3 × n`)
  if (y.values.length !== count) throw new FormatError(`has ${count} images and ${y.values.length} labels`)
  const wrong = y.values.findIndex((label) => !Number.isInteger(label) || label < 1 || label > CLASSES.length)
  if (wrong >= 0)
    throw new FormatError(
      `gives image ${wrong} the label ${y.values[wrong] ?? ''}, expected 1 to ${CLASSES.length}`,
    )
  return {
    images: toNhwc(x.values, count),
    labels: Int32Array.from(y.values, (label) => label % CLASSES.length),
  }
}

/**
 * Converts from the first dimension fastest to [n, rows, columns, channels] with channels fastest.
 */
function toNhwc(values: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(values.length)
  let to = 0
  for (let image = 0; image < count * IMAGE; image += IMAGE)
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++)
        for (let channel = 0; channel < 3; channel++)
          images[to++] = values[image + channel * PLANE + column * SIDE + row] ?? 0
  return images
}
