import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetFacts } from '../../experiment/dataset.ts'
import type { Dataset, DatasetReader, DataSpecOf, PublishedFile } from './dataset.ts'
import { collectProblems, countLabels, dataError, readDataFile, type SourceFile } from './files.ts'

type Cifar10Spec = DataSpecOf<'cifar10'>

const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
const SIDE = 32
const PLANE = SIDE * SIDE
const IMAGE = 3 * PLANE
/** One byte for the label, then the red, the green and the blue plane. */
const RECORD = 1 + IMAGE

const known = (sha256: string) => ({ bytes: 10_000 * RECORD, sha256 })
const KNOWN_FILES: ReadonlyMap<string, ReturnType<typeof known>> = new Map([
  ['data_batch_1.bin', known('cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5')],
  ['data_batch_2.bin', known('a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed')],
  ['data_batch_3.bin', known('bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67')],
  ['data_batch_4.bin', known('014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48')],
  ['data_batch_5.bin', known('755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add')],
  ['test_batch.bin', known('8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b')],
])

const PAGE = 'https://www.cs.toronto.edu/~kriz/cifar.html'
const ARCHIVE: PublishedFile = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  bytes: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
}

/** CIFAR-10 in its official binary layout (Krizhevsky 2009). */
export const cifar10: DatasetReader<Cifar10Spec> = {
  home(spec) {
    for (const [i, name] of spec.train.entries()) refuseUnofficial(name, `data.train[${i}]`)
    for (const [i, name] of spec.test.entries()) refuseUnofficial(name, `data.test[${i}]`)
    return { kind: 'published', files: [ARCHIVE], members: [...KNOWN_FILES.keys()] }
  },

  wants: (spec, name) => [...spec.train, ...spec.test].includes(name),

  async inspect(spec, directory) {
    const batches = await collectProblems(
      filesOf(spec).map(({ name, path }) => async () => {
        const { content, source } = await readBatch(directory, name, path)
        return { source, counts: countLabels(labelsOf(content), CLASSES.length) }
      }),
    )
    return factsOf(spec, batches)
  },

  async read(spec, directory): Promise<Dataset> {
    const files = filesOf(spec)
    const sizes = await Promise.all(files.map(({ name }) => sizeOf(join(directory, name))))
    const total = sizes.reduce((sum, size) => sum + Math.floor(size / RECORD), 0)
    const images = new Uint8Array(total * IMAGE)
    const labels = new Uint8Array(total)

    let filled = 0
    let trainable = 0
    const batches = await collectProblems(
      files.map(({ name, path, set }) => async () => {
        const { content, source } = await readBatch(directory, name, path)
        const own = labelsOf(content)
        if (filled + own.length > total) throw new Error(`${join(directory, name)} grew while it was read`)
        labels.set(own, filled)
        toNhwc(content, images.subarray(filled * IMAGE))
        filled += own.length
        if (set === 'train') trainable = filled
        return { source, counts: countLabels(own, CLASSES.length) }
      }),
    )
    if (filled < total) throw new Error(`a data file in ${directory} shrank while it was read`)
    return { facts: factsOf(spec, batches), maximum: 255, samples: { images, labels }, trainable }
  },
}

function refuseUnofficial(name: string, path: string): void {
  if (KNOWN_FILES.has(name)) return
  throw dataError(
    path,
    `"${name}" is not a file of the official archive (${[...KNOWN_FILES.keys()].join(', ')}), so it cannot be downloaded; ` +
      'name the directory that holds it as dataDirectory',
  )
}

/** Training files first. */
function filesOf(spec: Cifar10Spec) {
  return (['train', 'test'] as const).flatMap((set) =>
    spec[set].map((name, i) => ({ name, set, path: `data.${set}[${i}]` })),
  )
}

async function readBatch(directory: string, name: string, path: string) {
  const advice = `get the file anew from ${PAGE}, or name another directory as dataDirectory`
  const batch = await readDataFile(directory, name, { known: KNOWN_FILES.get(name), path, advice })
  const file = join(directory, name)
  const { length } = batch.content
  if (length === 0 || length % RECORD !== 0)
    throw dataError(
      path,
      `${file} has ${length} bytes, expected a positive multiple of ${RECORD} (1 label byte and ${IMAGE} pixel bytes a record): ` +
        `it is ${length === 0 ? 'empty' : 'truncated, or not in the binary layout'}; ${advice}`,
    )
  const wrong = labelsOf(batch.content).findIndex((label) => label >= CLASSES.length)
  if (wrong >= 0)
    throw dataError(
      path,
      `${file}: record ${wrong} (byte ${wrong * RECORD}) has the label ${batch.content[wrong * RECORD] ?? ''}, ` +
        `expected 0 to ${CLASSES.length - 1}; ${advice}`,
    )
  return batch
}

function labelsOf(records: Uint8Array): Uint8Array {
  return Uint8Array.from({ length: records.length / RECORD }, (_, i) => records[i * RECORD] ?? 0)
}

/** Records (label, then planes [3, 32, 32]) to images [n, 32, 32, 3]. */
function toNhwc(records: Uint8Array, images: Uint8Array): void {
  let to = 0
  for (let record = 0; record < records.length; record += RECORD) {
    const red = record + 1
    for (let pixel = red; pixel < red + PLANE; pixel++) {
      images[to++] = records[pixel] ?? 0
      images[to++] = records[pixel + PLANE] ?? 0
      images[to++] = records[pixel + 2 * PLANE] ?? 0
    }
  }
}

/** 0 for what cannot be read: reading it says why. */
async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined)
  return found?.size ?? 0
}

function factsOf(
  spec: Cifar10Spec,
  batches: readonly { readonly source: SourceFile; readonly counts: readonly number[] }[],
): DatasetFacts {
  const perClass = (parts: typeof batches) =>
    CLASSES.map((_, label) => parts.reduce((sum, { counts }) => sum + (counts[label] ?? 0), 0))
  return {
    name: spec.name,
    shape: [SIDE, SIDE, 3],
    classes: CLASSES,
    train: perClass(batches.slice(0, spec.train.length)),
    test: perClass(batches.slice(spec.train.length)),
    sources: batches.map(({ source }) => source),
    citation:
      'A. Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, University of Toronto, 2009. ' +
      PAGE,
  }
}
