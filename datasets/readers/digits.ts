import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Shape } from '../../experiment/models/layers.ts'
import { inMemory, type Dataset, type DatasetReader, type DataSpecOf } from '../dataset.ts'
import { countLabels, readDataFile } from '../files.ts'

const FILE = 'digits.csv.gz'
const KNOWN = {
  bytes: 57_523,
  sha256: '09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22',
}
const SAMPLES = 1_797
const SHAPE: Shape = [8, 8, 1]
const PIXELS = 64
const CLASSES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

/**
 * The test part of UCI's "Optical Recognition of Handwritten Digits", a gzipped CSV file. Each row
 * has 64 pixels (0..16) and the label. All samples are in one file, from which a stage takes the
 * test share.
 */
export const reader: DatasetReader<DataSpecOf<'digits'>> = {
  defaultLocation: () => ({
    kind: 'shipped',
    directory: fileURLToPath(new URL('../../data/digits', import.meta.url)),
  }),
  isDataFile: (_, name) => name === FILE,
  inspect: async (spec, directory) => (await read(spec, directory)).facts,
  read,
}

async function read({ name }: DataSpecOf<'digits'>, directory: string): Promise<Dataset> {
  const { content, source } = await readDataFile(directory, FILE, {
    known: KNOWN,
    path: 'data.name',
    advice: `restore ${FILE} as it comes with Zeroshift, in data/digits`,
  })
  // The checksum was verified, so every row is well-formed.
  const values = (await promisify(gunzip)(content)).toString('latin1').trimEnd().split(/[\n,]/)
  const images = new Uint8Array(SAMPLES * PIXELS)
  const labels = new Int32Array(SAMPLES)
  for (let i = 0; i < SAMPLES; i++) {
    const row = i * (PIXELS + 1)
    for (let j = 0; j < PIXELS; j++) images[i * PIXELS + j] = Number(values[row + j])
    labels[i] = Number(values[row + PIXELS])
  }
  return {
    facts: {
      name,
      shape: SHAPE,
      classes: CLASSES,
      train: countLabels(labels, CLASSES.length),
      test: CLASSES.map(() => 0),
      sources: [source],
      citation:
        'E. Alpaydin and C. Kaynak. Optical Recognition of Handwritten Digits. UCI Machine Learning Repository, 1998. ' +
        'https://doi.org/10.24432/C50P49 (CC BY 4.0)',
    },
    labels,
    images: inMemory(images, SHAPE),
    trainable: SAMPLES,
  }
}
