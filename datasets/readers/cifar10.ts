import { CIFAR_IMAGE, inspectCifar, readCifar, type CifarFile, type CifarLayout } from '../cifar.ts'
import type { DatasetReader, DataSpecOf, PublishedFile } from '../dataset.ts'
import { dataError } from '../files.ts'

type Cifar10Spec = DataSpecOf<'cifar10'>

const LAYOUT: CifarLayout = {
  name: 'cifar10',
  labelBytes: 1,
  label: 0,
  classes: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
}
const RECORD = 1 + CIFAR_IMAGE

const known = (sha256: string) => ({ bytes: 10_000 * RECORD, sha256 })
const KNOWN_FILES: ReadonlyMap<string, ReturnType<typeof known>> = new Map([
  ['data_batch_1.bin', known('cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5')],
  ['data_batch_2.bin', known('a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed')],
  ['data_batch_3.bin', known('bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67')],
  ['data_batch_4.bin', known('014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48')],
  ['data_batch_5.bin', known('755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add')],
  ['test_batch.bin', known('8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b')],
])

const ARCHIVE: PublishedFile = {
  url: 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz',
  bytes: 170_052_171,
  sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
}

/** CIFAR-10 in its official binary layout (Krizhevsky 2009). */
export const reader: DatasetReader<Cifar10Spec> = {
  defaultLocation(spec) {
    for (const [i, name] of spec.train.entries()) refuseUnofficial(name, `data.train[${i}]`)
    for (const [i, name] of spec.test.entries()) refuseUnofficial(name, `data.test[${i}]`)
    return { kind: 'published', files: [ARCHIVE], members: [...KNOWN_FILES.keys()] }
  },

  isDataFile: (spec, name) => [...spec.train, ...spec.test].includes(name),
  inspect: (spec, directory) => inspectCifar(LAYOUT, filesOf(spec), directory),
  read: (spec, directory) => readCifar(LAYOUT, filesOf(spec), directory),
}

function refuseUnofficial(name: string, path: string): void {
  if (KNOWN_FILES.has(name)) return
  throw dataError(
    path,
    `"${name}" is not a file of the official archive (${[...KNOWN_FILES.keys()].join(', ')}), so it cannot be downloaded; ` +
      'name the directory that holds it as dataDirectory',
  )
}

/** The data files, training files first. */
function filesOf(spec: Cifar10Spec): readonly CifarFile[] {
  return (['train', 'test'] as const).flatMap((set) =>
    spec[set].map((name, i) => ({ name, set, path: `data.${set}[${i}]`, known: KNOWN_FILES.get(name) })),
  )
}
