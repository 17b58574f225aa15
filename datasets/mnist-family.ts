import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import { inMemory, type Dataset, type DatasetReader, type DataSpecOf, type PublishedFile } from './dataset.ts'
import { collectProblems, countLabels, dataError, FormatError, inFile, readDataFile } from './files.ts'
import { gunzipped } from './gzip.ts'
import { decodeIdx } from './idx.ts'

/**
 * MNIST, Fashion-MNIST and KMNIST: 28×28 grey images of ten classes, in four files with the same
 * names.
 */

type MnistName = 'mnist' | 'fashion-mnist' | 'kmnist'

interface Published {
  readonly classes: readonly string[]
  readonly citation: string
  /** The four files, training images first. */
  readonly downloads: readonly PublishedFile[]
}

const FILES = ['train-images-idx3', 'train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'] as const
const SIDE = 28

/** files: the size in bytes and the SHA-256 of each gzipped file. */
function downloads(base: string, files: readonly (readonly [number, string])[]): readonly PublishedFile[] {
  return files.map(([bytes, sha256], i) => ({ url: `${base}${FILES[i] ?? ''}-ubyte.gz`, bytes, sha256 }))
}

export const published: Readonly<Record<MnistName, Published>> = {
  mnist: {
    classes: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    citation:
      'Y. LeCun, L. Bottou, Y. Bengio and P. Haffner. Gradient-Based Learning Applied to Document Recognition. ' +
      'Proceedings of the IEEE 86(11), 1998.',
    downloads: downloads('https://storage.googleapis.com/cvdf-datasets/mnist/', [
      [9_912_422, '440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609'],
      [28_881, '3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c'],
      [1_648_877, '8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6'],
      [4_542, 'f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6'],
    ]),
  },
  'fashion-mnist': {
    classes: [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
    citation:
      'H. Xiao, K. Rasul and R. Vollgraf. Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning ' +
      'Algorithms. arXiv:1708.07747, 2017.',
    downloads: downloads(
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
      [
        [26_421_880, '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84'],
        [29_515, 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845'],
        [4_422_102, '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073'],
        [5_148, '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5'],
      ],
    ),
  },
  kmnist: {
    classes: ['o', 'ki', 'su', 'tsu', 'na', 'ha', 'ma', 'ya', 're', 'wo'],
    citation:
      'T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto and D. Ha. Deep Learning for Classical Japanese ' +
      'Literature. arXiv:1812.01718, 2018 (CC BY-SA 4.0).',
    downloads: downloads('https://codh.rois.ac.jp/kmnist/dataset/kmnist/', [
      [18_165_135, '51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4'],
      [29_497, 'e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17'],
      [3_041_136, 'edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5'],
      [5_120, '20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c'],
    ]),
  },
}

/** The reader of one of the three data sets. */
export function mnistReader<N extends MnistName>(name: N): DatasetReader<DataSpecOf<N>> {
  const { classes, citation } = published[name]
  const read = async (directory: string): Promise<Dataset> => {
    const [train, test] = await collectProblems(
      ([0, 2] as const).map(
        (first) => () => readPart(name, directory, [FILES[first], FILES[first + 1] ?? '']),
      ),
    )
    const parts = [train, test].flatMap((part) => part ?? [])
    const facts: DatasetFacts = {
      name,
      shape: [SIDE, SIDE, 1],
      classes,
      train: countLabels(train?.labels ?? [], classes.length),
      test: countLabels(test?.labels ?? [], classes.length),
      sources: parts.flatMap(({ sources }) => sources),
      citation,
    }
    const images = Buffer.concat(parts.map((part) => part.images))
    const labels = Int32Array.from(parts.flatMap((part) => [...part.labels]))
    return { facts, labels, images: inMemory(images, facts.shape), trainable: train?.labels.length ?? 0 }
  }
  return {
    defaultLocation: () => ({
      kind: 'published',
      files: published[name].downloads,
      members: FILES.map((file) => `${file}-ubyte.gz`),
    }),
    isDataFile: (_, file) => FILES.some((known) => file === `${known}-ubyte` || file === `${known}-ubyte.gz`),
    inspect: async (_, directory) => (await read(directory)).facts,
    read: (_, directory) => read(directory),
  }
}

/** Reads images and their labels from two files. */
async function readPart(name: MnistName, directory: string, [images, labels]: readonly [string, string]) {
  const files = [
    await readIdx(name, directory, images, 3),
    await readIdx(name, directory, labels, 1),
  ] as const
  const [pictures, classes] = files
  const refuse = (file: string, what: string) => dataError('data.name', `${file} ${what}; ${adviceFor(name)}`)
  const [count = 0, height = 0, width = 0] = pictures.shape
  if (height !== SIDE || width !== SIDE || count === 0)
    throw refuse(
      pictures.file,
      `has ${count} images of ${height}×${width} pixels, expected some of ${SIDE}×${SIDE}`,
    )
  if (classes.values.length !== count)
    throw refuse(classes.file, `has ${classes.values.length} labels, and ${pictures.file} ${count} images`)
  const wrong = classes.values.findIndex((label) => label >= published[name].classes.length)
  if (wrong >= 0)
    throw refuse(
      classes.file,
      `gives image ${wrong} the label ${classes.values[wrong] ?? ''}, expected 0 to ${published[name].classes.length - 1}`,
    )
  return { images: pictures.values, labels: classes.values, sources: files.map(({ source }) => source) }
}

async function readIdx(name: MnistName, directory: string, stem: string, dimensions: number) {
  const found = await fileOf(directory, stem)
  const advice = adviceFor(name)
  const { content, source } = await readDataFile(directory, found, {
    known: undefined,
    path: 'data.name',
    advice,
  })
  const file = join(directory, found)
  const { shape, values } = await inFile(file, { path: 'data.name', advice }, async () => {
    refuseOthers(name, source.sha256)
    return decodeIdx(found.endsWith('.gz') ? await gunzipped(content) : content, dimensions)
  })
  return { file, source, shape, values }
}

/**
 * Throws a FormatError for a file of another of the three sets, since all have the same file names.
 */
function refuseOthers(name: MnistName, sha256: string): void {
  for (const [other, { downloads }] of Object.entries(published))
    if (other !== name && downloads.some((file) => file.sha256 === sha256))
      throw new FormatError(`is a file of ${other}`)
}

/**
 * The name of the file in the directory, gzipped or not. If neither exists, the gzipped name, whose
 * absence is then reported.
 */
async function fileOf(directory: string, stem: string): Promise<string> {
  const names = [`${stem}-ubyte.gz`, `${stem}-ubyte`] as const
  for (const name of names) if (await stat(join(directory, name)).catch(() => undefined)) return name
  return names[0]
}

function adviceFor(name: MnistName): string {
  const [{ url } = { url: '' }] = published[name].downloads
  return `get the file anew from ${url.slice(0, url.lastIndexOf('/') + 1)}, or name another directory as data.from`
}
