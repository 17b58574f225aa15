import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DatasetFacts } from '../experiment/spec/dataset.ts'
import { inMemory, type Dataset } from './dataset.ts'
import {
  collectProblems,
  countLabels,
  dataError,
  readDataFile,
  refuseUnsafe,
  type KnownFile,
  type SourceFile,
} from './files.ts'

/**
 * The binary layout of CIFAR-10 and CIFAR-100. A record has one or two label bytes, followed by the
 * red, green and blue planes.
 */
export interface CifarLayout {
  readonly name: 'cifar10' | 'cifar100'
  readonly labelBytes: number
  /** The index of the label byte that is used. */
  readonly label: number
  readonly classes: readonly string[]
}

/** A data file. Lists of files have training files first. */
export interface CifarFile {
  readonly name: string
  readonly set: 'train' | 'test'
  /** The path of the config key that names the file. */
  readonly path: string
  readonly known?: KnownFile | undefined
}

const CIFAR_PAGE = 'https://www.cs.toronto.edu/~kriz/cifar.html'
const SIDE = 32
const PLANE = SIDE * SIDE
export const CIFAR_IMAGE = 3 * PLANE

/** Reads and checks the files. Throws a UserError. */
export async function inspectCifar(
  layout: CifarLayout,
  files: readonly CifarFile[],
  directory: string,
): Promise<DatasetFacts> {
  const batches = await collectProblems(
    files.map((file) => async () => {
      const { content, source } = await readBatch(layout, directory, file)
      return { source, counts: countLabels(labelsOf(layout, content), layout.classes.length) }
    }),
  )
  return factsOf(layout, files, batches)
}

/** Reads the files. Throws a UserError as `inspectCifar` does. */
export async function readCifar(
  layout: CifarLayout,
  files: readonly CifarFile[],
  directory: string,
): Promise<Dataset> {
  for (const { name, path } of files) refuseUnsafe(name, path)
  const sizes = await Promise.all(files.map(({ name }) => sizeOf(join(directory, name))))
  const total = sizes.reduce((sum, size) => sum + Math.floor(size / recordOf(layout)), 0)
  const images = new Uint8Array(total * CIFAR_IMAGE)
  const labels = new Int32Array(total)

  let filled = 0
  let trainable = 0
  const batches = await collectProblems(
    files.map((file) => async () => {
      const { content, source } = await readBatch(layout, directory, file)
      const own = labelsOf(layout, content)
      if (filled + own.length > total) throw new Error(`${join(directory, file.name)} grew while it was read`)
      labels.set(own, filled)
      toNhwc(layout, content, images.subarray(filled * CIFAR_IMAGE))
      filled += own.length
      if (file.set === 'train') trainable = filled
      return { source, counts: countLabels(own, layout.classes.length) }
    }),
  )
  if (filled < total) throw new Error(`a data file in ${directory} shrank while it was read`)
  const facts = factsOf(layout, files, batches)
  return { facts, labels, images: inMemory(images, facts.shape), trainable }
}

const recordOf = ({ labelBytes }: CifarLayout) => labelBytes + CIFAR_IMAGE

async function readBatch(layout: CifarLayout, directory: string, { name, path, known }: CifarFile) {
  const advice = `get the file anew from ${CIFAR_PAGE}, or name another directory as dataDirectory`
  const batch = await readDataFile(directory, name, { known, path, advice })
  const file = join(directory, name)
  const { length } = batch.content
  const record = recordOf(layout)
  if (length === 0 || length % record !== 0)
    throw dataError(
      path,
      `${file} has ${length} bytes, expected a positive multiple of ${record} ` +
        `(${layout.labelBytes} label byte${layout.labelBytes > 1 ? 's' : ''} and ${CIFAR_IMAGE} pixel bytes a record): ` +
        `it is ${length === 0 ? 'empty' : 'truncated, or not in the binary layout'}; ${advice}`,
    )
  const labels = labelsOf(layout, batch.content)
  const wrong = labels.findIndex((label) => label >= layout.classes.length)
  if (wrong >= 0)
    throw dataError(
      path,
      `${file}: record ${wrong} (byte ${wrong * record}) has the label ${labels[wrong] ?? ''}, ` +
        `expected 0 to ${layout.classes.length - 1}; ${advice}`,
    )
  return batch
}

function labelsOf(layout: CifarLayout, records: Uint8Array): Uint8Array {
  const record = recordOf(layout)
  return Uint8Array.from(
    { length: records.length / record },
    (_, i) => records[i * record + layout.label] ?? 0,
  )
}

/** Converts records (labels, then planes [3, 32, 32]) to images [n, 32, 32, 3]. */
function toNhwc(layout: CifarLayout, records: Uint8Array, images: Uint8Array): void {
  let to = 0
  for (let record = 0; record < records.length; record += recordOf(layout)) {
    const red = record + layout.labelBytes
    for (let pixel = red; pixel < red + PLANE; pixel++) {
      images[to++] = records[pixel] ?? 0
      images[to++] = records[pixel + PLANE] ?? 0
      images[to++] = records[pixel + 2 * PLANE] ?? 0
    }
  }
}

/** The size of a file in bytes; 0 if it cannot be read. Reading it later reports the reason. */
async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined)
  return found?.size ?? 0
}

function factsOf(
  { name, classes }: CifarLayout,
  files: readonly CifarFile[],
  batches: readonly { readonly source: SourceFile; readonly counts: readonly number[] }[],
): DatasetFacts {
  const perClass = (set: CifarFile['set']) =>
    classes.map((_, label) =>
      batches.reduce((sum, { counts }, i) => sum + (files[i]?.set === set ? (counts[label] ?? 0) : 0), 0),
    )
  return {
    name,
    shape: [SIDE, SIDE, 3],
    classes,
    train: perClass('train'),
    test: perClass('test'),
    sources: batches.map(({ source }) => source),
    citation:
      'A. Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, University of Toronto, 2009. ' +
      CIFAR_PAGE,
  }
}
