import { readdir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { digestOf, sha256 } from '../../common/canonical.ts'
import { UserError, type Problem } from '../../common/errors.ts'
import { readRegularFile } from '../../common/regular-file.ts'
import type { Dataset, DatasetReader, DataSpecOf, ReadOptions } from '../dataset.ts'
import { countLabels, dataError, kindOf, summarised, type SourceFile } from '../files.ts'
import { unnamedPlace } from '../missing.ts'
import { decodePictures, pictureDataset } from '../pictures.ts'

const PATH = 'data.from'
const IMAGES = /\.(png|jpe?g|webp)$/i

type FolderSpec = DataSpecOf<'image-folder'>

/**
 * Images in one folder per class, below train/ and test/ or in one tree from which a stage takes
 * the test share. Classes and images are ordered by the code units of their names, independently of
 * the order of the file system.
 */
export const reader: DatasetReader<FolderSpec> = {
  defaultLocation({ name }) {
    throw unnamedPlace(name)
  },
  isDataFile: (_, name) => IMAGES.test(name),
  inspect: async (spec, directory, reading) => (await read(spec, directory, reading)).facts,
  read,
}

/** A tree of class folders: `train`, `test`, or `.` for a single tree. */
interface Tree {
  readonly name: string
  readonly files: readonly { readonly folder: string; readonly name: string }[]
}

async function read(spec: FolderSpec, directory: string, reading: ReadOptions): Promise<Dataset> {
  const trees = await treesOf(spec, directory)
  const classes = [...new Set(trees.flatMap(({ files }) => files.map(({ folder }) => folder)))].sort()
  refuseSingleImages(trees, directory)

  const labelOf = new Map(classes.map((folder, label) => [folder, label]))
  const hashes = trees.map((): { readonly sha256: string; readonly bytes: number }[] => [])
  const encoded = trees.flatMap((tree, t) =>
    tree.files.map(({ folder, name }, i) => ({
      name: join(tree.name, folder, name),
      label: labelOf.get(folder) ?? 0,
      bytes: async () => {
        const file = join(directory, tree.name, folder, name)
        const content = await readRegularFile(file)
        const own = hashes[t]
        const digest = sha256(content)
        if (own?.[i] && own[i].sha256 !== digest) throw new Error(`${file} was changed while it was read`)
        if (own) own[i] = { sha256: digest, bytes: content.length }
        return content
      },
    })),
  )
  const pictures = await decodePictures(encoded, spec, { directory, path: PATH, ...reading })
  refuseUndecodableClasses(pictures.labels, classes, directory)
  return pictureDataset(
    pictures,
    { name: spec.name, classes, sources: trees.map((tree, t) => sourceOf(tree, hashes[t] ?? [])) },
    trees[0]?.files.length ?? 0,
    encoded.map(({ name }) => name.split(sep).join('/')),
  )
}

/**
 * Describes all files of a tree as one. Its SHA-256 is that of the canonical JSON of their paths
 * and SHA-256s.
 */
function sourceOf(
  { name, files }: Tree,
  hashes: readonly { readonly sha256: string; readonly bytes: number }[],
): SourceFile {
  const entriesOf = files.map((file, i) => [`${file.folder}/${file.name}`, hashes[i]?.sha256 ?? ''])
  return {
    name: `${name === '.' ? '' : `${name}/`}*/* (${files.length} images)`,
    sha256: digestOf(entriesOf),
    bytes: hashes.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

async function treesOf({ test }: FolderSpec, directory: string): Promise<readonly Tree[]> {
  const top = await listed(directory)
  const apart = ['train', 'test'].filter((name) =>
    top.some((entry) => entry.name === name && entry.kind === 'folder'),
  )
  const refuse = (message: string) => dataError(PATH, message)
  if (apart.length === 2 && test !== undefined)
    throw dataError(
      'data.test',
      `${directory} has test images of its own below test/, and data.test takes a share of the others too; leave it out`,
    )
  if (apart.length < 2 && test === undefined)
    throw refuse(
      `${directory} has no folders train and test; name the directory that has, or give the share of one tree that is kept for testing as data.test, such as 0.2`,
    )
  const trees = await Promise.all((apart.length === 2 ? apart : ['.']).map((name) => treeOf(directory, name)))
  const problems = trees.flatMap(({ problems }) => problems)
  if (problems.length > 0) throw new UserError(summarised(problems, 'files'))
  const empty = trees.find(({ files }) => files.length === 0)
  if (empty)
    throw refuse(
      `${join(directory, empty.name)} has no folders of images; expected class/name.png, jpg or webp`,
    )
  return trees
}

async function treeOf(
  directory: string,
  name: string,
): Promise<Tree & { readonly problems: readonly Problem[] }> {
  const files: Tree['files'][number][] = []
  const problems: Problem[] = []
  const stray = (file: string, what: string) => {
    problems.push({
      path: PATH,
      message: `${file} ${what}; expected class/name.png, jpg or webp: move it out of the tree`,
    })
  }
  for (const folder of await listed(join(directory, name))) {
    const place = join(directory, name, folder.name)
    if (folder.kind !== 'folder') {
      stray(place, 'is no folder of a class')
      continue
    }
    const before = files.length
    for (const file of await listed(place)) {
      const strange = problemOf(file)
      if (strange !== undefined) stray(join(place, file.name), strange)
      else files.push({ folder: folder.name, name: file.name })
    }
    if (files.length === before && problems.length === 0)
      problems.push({ path: PATH, message: `${place} holds no image; add some, or remove it` })
  }
  return { name, files, problems }
}

interface Listed {
  readonly name: string
  readonly kind: Awaited<ReturnType<typeof kindOf>>
}

/** The reason why an entry of a class folder is not an image; undefined if it may be one. */
function problemOf({ name, kind }: Listed): string | undefined {
  if (kind === 'folder') return 'is a folder in the folder of a class'
  if (!IMAGES.test(name)) return 'is no png, jpg or webp'
  return kind === 'file' ? undefined : 'is no regular file, or a link that leads nowhere'
}

/** The entries of a folder without hidden files, by name. */
async function listed(folder: string): Promise<readonly Listed[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const shown = entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1))
  return Promise.all(shown.map(async (entry) => ({ name: entry.name, kind: await kindOf(folder, entry) })))
}

/**
 * Throws a UserError if a class has only one image. A class needs two, since its samples are
 * divided.
 */
function refuseSingleImages(trees: readonly Tree[], directory: string): void {
  const first = new Map<string, string>()
  const several = new Set<string>()
  for (const tree of trees)
    for (const { folder, name } of tree.files) {
      if (first.has(folder)) several.add(folder)
      else first.set(folder, join(directory, tree.name, folder, name))
    }
  const problems = [...first].flatMap(([folder, file]): readonly Problem[] =>
    several.has(folder)
      ? []
      : [
          {
            path: PATH,
            message: `${file} is the only image of the class "${folder}", and a class needs at least 2; add some, or remove it`,
          },
        ],
  )
  if (problems.length > 0) throw new UserError(summarised(problems, 'classes'))
}

/** Throws a UserError if a class has fewer than two images that can be decoded. */
function refuseUndecodableClasses(labels: Int32Array, classes: readonly string[], directory: string): void {
  const counts = countLabels(labels, classes.length)
  const problems = classes.flatMap((folder, label): readonly Problem[] => {
    const count = counts[label] ?? 0
    const message = `of the class "${folder}" in ${directory} only ${count} can be decoded, and a class needs at least 2; mend them, or remove the class`
    return count < 2 ? [{ path: PATH, message }] : []
  })
  if (problems.length > 0) throw new UserError(summarised(problems, 'classes'))
}
