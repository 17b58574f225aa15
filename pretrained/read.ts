import { join } from 'node:path'
import { valuesOf } from '../artifacts/format/safetensors.ts'
import type { CheckpointFacts } from '../experiment/models/pretrained.ts'
import { openRegularFile } from '../common/regular-file.ts'
import type { Tensors } from '../learning/model/parameters.ts'
import { readArchitecture, type DescribedModel } from './architecture.ts'
import { describeFiles, readTensorIndex, type PlacedTensor } from './files.ts'
import { headsOf, withOneHead } from './heads.ts'
import { checkpointError } from './json-file.ts'
import { permuted } from './permute.ts'
import { readPreparation } from './preparation.ts'
import { publishedLayers, publishedTensors, tensorShape, type Published } from './published.ts'
import { publishedSpelling } from './spelling.ts'

/**
 * Reads and checks the files of a checkpoint except the values of its weights. Throws a UserError
 * that lists what is unknown, missing, not part of the model or of a wrong shape. Nothing in a file
 * is ever executed.
 */
export async function inspectCheckpoint(directory: string): Promise<CheckpointFacts> {
  const described = await readArchitecture(directory)
  const preparation = await readPreparation(directory, described.architecture)
  const { tensors, files } = await readTensorIndex(directory)
  const { classes } = matchTensors(directory, described, tensors)
  return {
    architecture: described.architecture,
    classes,
    preparation,
    files: await describeFiles(directory, files),
  }
}

/**
 * Reads all parameters of a checkpoint under our names and in our order of axes, including its head
 * if it has one. Throws a UserError if the files are not those of `facts`.
 */
export async function readCheckpoint(directory: string, facts: CheckpointFacts): Promise<Tensors> {
  const described = await readArchitecture(directory)
  const { tensors, files } = await readTensorIndex(directory)
  const found = await describeFiles(directory, files)
  for (const { name, sha256 } of facts.files) {
    const other = found.find((file) => file.name === name)
    if (other?.sha256 !== sha256)
      throw checkpointError(
        `${join(directory, name)} has the SHA-256 ${other?.sha256 ?? '(it is missing)'}, expected ${sha256}: it was changed ` +
          'after the experiment was started; start it anew, or restore the file',
      )
  }
  const { matched } = matchTensors(directory, described, tensors)
  const parameters: Record<string, { shape: readonly number[]; values: Float32Array }> = {}
  for (const { ours, tensor } of matched) {
    const values = permuted(await valuesIn(directory, ours.tensor, tensor), tensorShape(ours), ours.axes)
    parameters[ours.name] = { shape: ours.shape, values }
  }
  return withOneHead(parameters, described.architecture)
}

interface Matched {
  readonly matched: readonly { readonly ours: Published; readonly tensor: PlacedTensor }[]
  /** The number of classes of the checkpoint's head; 0 without a head. */
  readonly classes: number
}

const LISTED = 8

/** Counters and parts for other purposes, which image classification does not use. */
const ignored = /(^|\.)(num_batches_tracked|pooler\.dense\.(weight|bias)|position_ids)$/

/** Finds the tensor of every parameter. Throws a UserError that lists all problems. */
function matchTensors(
  directory: string,
  { architecture, prefix }: DescribedModel,
  tensors: ReadonlyMap<string, PlacedTensor>,
): Matched {
  const spelt = new Map(
    [...tensors].map(([name, tensor]) => [
      architecture.kind === 'vit' ? publishedSpelling(name, architecture.family) : name,
      tensor,
    ]),
  )
  const bare = ![...spelt.keys()].some((name) => name.startsWith(prefix))
  const classes = spelt.get(`${headsOf(architecture)[0] ?? ''}.weight`)?.shape[0] ?? 0
  const expected = publishedTensors(publishedLayers(architecture, classes))

  const problems: string[] = []
  const matched: { ours: Published; tensor: PlacedTensor }[] = []
  const used = new Set<string>()
  for (const ours of expected) {
    const name = bare && ours.tensor.startsWith(prefix) ? ours.tensor.slice(prefix.length) : ours.tensor
    const tensor = spelt.get(name)
    const shape = tensorShape(ours)
    used.add(name)
    if (!tensor) problems.push(`"${name}" [${shape.join(', ')}] is missing`)
    else if (tensor.shape.join() !== shape.join())
      problems.push(`"${name}" has the shape [${tensor.shape.join(', ')}], expected [${shape.join(', ')}]`)
    else if (tensor.dtype !== 'F32' && tensor.dtype !== 'F16' && tensor.dtype !== 'BF16')
      problems.push(`"${name}" has the type ${tensor.dtype}, expected F32, F16 or BF16`)
    else matched.push({ ours, tensor })
  }
  for (const name of spelt.keys())
    if (!used.has(name) && !ignored.test(name)) problems.push(`"${name}" is not of this model`)
  if (problems.length > 0) {
    const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more` : ''
    throw checkpointError(
      `${directory}: the tensors are not those of the model that config.json describes: ` +
        `${problems.slice(0, LISTED).join('; ')}${more}`,
    )
  }
  return { matched, classes }
}

async function valuesIn(directory: string, name: string, { file, dtype, offset, begin, end }: PlacedTensor) {
  const opened = await openRegularFile(join(directory, file))
  try {
    const bytes = Buffer.alloc(end - begin)
    const { bytesRead } = await opened.read(bytes, 0, bytes.length, offset)
    if (bytesRead < bytes.length)
      throw checkpointError(`${join(directory, file)} was cut off while it was read`)
    return valuesOf(name, dtype, bytes) as Float32Array
  } finally {
    await opened.close()
  }
}
