import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { decodeTensors, type TensorData } from '../artifacts/format/safetensors.ts'
import { grouped } from '../common/counted.ts'
import { errorMessage } from '../common/errors.ts'
import { parseJson } from '../common/json.ts'
import { readRegularFile } from '../common/regular-file.ts'
import { FormatError } from '../datasets/files.ts'
import { decodeNpy, type NpyArray } from '../datasets/npy.ts'
import { ProgramError } from './errors.ts'
import { shapeText } from './npy.ts'

/**
 * Reads the results of external programs. Each function throws a ProgramError that names the file
 * and the tensor, what was found, what was expected and what to do.
 */

/** A float32 tensor in C order. */
export interface ResultTensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

export interface ExpectedTensor {
  readonly name: string
  readonly shape: readonly number[]
}

/**
 * Reads `model.safetensors`, which has exactly the expected tensors as finite float32 numbers.
 * Counters `*.num_batches_tracked` of PyTorch are ignored.
 */
export async function readWeightsResult(
  outputDirectory: string,
  expected: readonly ExpectedTensor[],
): Promise<Readonly<Record<string, ResultTensor>>> {
  const file = join(outputDirectory, 'model.safetensors')
  const bytes = expected.reduce((sum, { shape }) => sum + 4 * product(shape), 0)
  const content = await readResult(file, 2 * bytes + MOST_HEADER)
  const { tensors: read } = decoded(file, () => decodeTensors(content))
  const found = new Map(Object.entries(read))
  const problems: string[] = []
  const tensors = expected.flatMap(({ name, shape }): [string, ResultTensor][] => {
    const tensor = found.get(name)
    found.delete(name)
    if (!tensor) problems.push(`the tensor "${name}" ${shapeText(shape)} is missing`)
    else if (tensor.dtype !== 'F32')
      problems.push(`the tensor "${name}" has the type ${tensor.dtype}, expected F32`)
    else if (tensor.shape.join() !== shape.join())
      problems.push(
        `the tensor "${name}" has the shape ${shapeText(tensor.shape)}, expected ${shapeText(shape)}`,
      )
    else {
      const wrong = notFinite(tensor.values, shape)
      if (wrong === undefined) return [[name, { shape, values: tensor.values }]]
      problems.push(`the tensor "${name}" ${wrong}`)
    }
    return []
  })
  for (const name of found.keys())
    if (!name.endsWith('.num_batches_tracked'))
      problems.push(`the tensor "${name}" is no part of the model; leave it out`)
  refuse(file, problems)
  return Object.fromEntries(tensors)
}

/**
 * Reads `logits.npy`: finite float32 or float64 numbers of shape [rows, classes]. Returns them as
 * float32.
 */
export async function readLogitsResult(
  outputDirectory: string,
  rows: number,
  classes: number,
): Promise<Float32Array> {
  const file = join(outputDirectory, 'logits.npy')
  const shape = [rows, classes]
  const problem = (message: string) => new ProgramError([{ file, message }])
  // A file with a few rows too many is still read, so that the error can say how many there are.
  const bytes = await readResult(file, 4 * 8 * rows * classes + MOST_NPY_HEADER)
  const array = decoded(file, () => decodeNpy(bytes))
  const values = floatsOf(array)
  if (!values)
    throw problem(`the logits have the type ${array.dtype}, expected <f4 or <f8 (float32 or float64)`)
  const [foundRows, foundClasses] = array.shape
  if (array.shape.length !== 2)
    throw problem(
      `the logits have the shape ${shapeText(array.shape)}, expected ${shapeText(shape)}: a row for each image`,
    )
  if (foundRows !== rows)
    throw problem(
      `the logits have ${foundRows} rows, expected ${rows}: one for each image of images.npy, in its order`,
    )
  if (foundClasses !== classes)
    throw problem(`the logits have ${foundClasses} columns, expected ${classes}: one for each class`)
  const wrong = notFinite(values, shape)
  if (wrong !== undefined) throw problem(`the array ${wrong}`)
  return values
}

/** The values of a float array as float32; undefined for another type. */
function floatsOf({ dtype, values }: NpyArray): Float32Array | undefined {
  // A copy begins at a place in memory that is aligned.
  const { buffer } = Uint8Array.from(values)
  if (dtype === '<f4') return new Float32Array(buffer)
  return dtype === '<f8' ? Float32Array.from(new Float64Array(buffer)) : undefined
}

/** The files of an adapter in PEFT's layout, as the program wrote them. */
export interface AdapterResult {
  readonly 'adapter_config.json': Uint8Array
  readonly 'adapter_model.safetensors': Uint8Array
}

/**
 * Reads the two files of an adapter. Checks that the config is a JSON object and that all tensors
 * are finite, but not that the adapter fits a model.
 */
export async function readAdapterResult(
  outputDirectory: string,
  mostBytes = MOST_ADAPTER,
): Promise<AdapterResult> {
  const configFile = join(outputDirectory, 'adapter_config.json')
  const config = await readResult(configFile, MOST_CONFIG)
  const value = parseJson(config)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ProgramError([
      { file: configFile, message: 'the file is not a JSON object, expected the config of an adapter' },
    ])

  const file = join(outputDirectory, 'adapter_model.safetensors')
  const bytes = await readResult(file, mostBytes)
  const { tensors } = decoded(file, () => decodeTensors(bytes))
  const problems = Object.entries(tensors).flatMap(([name, { dtype, shape, values }]) => {
    if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16')
      return [`the tensor "${name}" has the type ${dtype}, expected F32, F16 or BF16`]
    const wrong = notFinite(values, shape)
    return wrong === undefined ? [] : [`the tensor "${name}" ${wrong}`]
  })
  if (Object.keys(tensors).length === 0) problems.push('there is no tensor in the file')
  refuse(file, problems)
  return { 'adapter_config.json': config, 'adapter_model.safetensors': bytes }
}

/** The most bytes of the header of a safetensors file, beyond the tensors themselves. */
const MOST_HEADER = 2 ** 26
const MOST_NPY_HEADER = 2 ** 16
const MOST_CONFIG = 2 ** 24
const MOST_ADAPTER = 2 ** 31 - 1

/** Reads a regular file of at most `mostBytes` that is no link, in a folder that is no link. */
async function readResult(file: string, mostBytes: number): Promise<Buffer> {
  const folder = await lstat(dirname(file)).catch(() => undefined)
  const found = folder?.isDirectory() ? await lstat(file).catch(() => undefined) : undefined
  const problem = (message: string) => new ProgramError([{ file, message }])
  if (!found)
    throw problem(
      `there is no such file, expected the result of the program; write it there, or name another kind of result in the config`,
    )
  if (!found.isFile())
    throw problem(
      `this is ${found.isSymbolicLink() ? 'a symbolic link' : found.isDirectory() ? 'a folder' : 'a special file'}, expected a regular file`,
    )
  if (found.size > mostBytes)
    throw problem(`the file has ${grouped(found.size)} bytes, expected ${grouped(mostBytes)} at most`)
  return readRegularFile(file)
}

/** The result of decoding a file. Adds the name of the file to an error. */
function decoded<T>(file: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    // A FormatError continues a sentence that begins with the name of the file.
    const message = `${error instanceof FormatError ? 'the file ' : ''}${errorMessage(error)}`
    throw new ProgramError([{ file, message }])
  }
}

/**
 * Returns the first value that is not finite and its position, as the end of a sentence that begins
 * with the name of its tensor.
 */
function notFinite(values: TensorData['values'], shape: readonly number[]): string | undefined {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at === -1) return undefined
  const position = shape.reduceRight<readonly number[]>(
    ([rest = at, ...indices], side) => [Math.floor(rest / side), rest % side, ...indices],
    [at],
  )
  return `is ${values[at]} at [${position.slice(1).join(', ')}], expected finite numbers`
}

/** The number of problems that an error lists. */
const LISTED = 8

function refuse(file: string, problems: readonly string[]): void {
  if (problems.length === 0) return
  const more = problems.length > LISTED ? `; and ${problems.length - LISTED} more problems` : ''
  throw new ProgramError([{ file, message: `${problems.slice(0, LISTED).join('; ')}${more}` }])
}

const product = (shape: readonly number[]) => shape.reduce((result, side) => result * side, 1)
