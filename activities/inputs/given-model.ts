import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import {
  decodeHeader,
  decodeTensors,
  headerEnd,
  type TensorEntry,
  type Tensors,
} from '../../artifacts/format/safetensors.ts'
import { errorMessage, UserError } from '../../common/errors.ts'
import { openRegularFile, readRegularFile, unreadable } from '../../common/regular-file.ts'
import { decodeNpy, floatsOf } from '../../datasets/npy.ts'
import type { GivenFile, GivenFiles, GivenModel } from '../../experiment/spec/given.ts'
import { isElsewhere } from '../../experiment/spec/places.ts'
import { isCheckpointFile } from '../../pretrained/files.ts'
import { readPeft } from '../../pretrained/read-peft.ts'
import { inspectCheckpoint } from '../../pretrained/read.ts'
import { isPickle, pickleAdvice } from '../../pretrained/pickle.ts'
import { localDirectory } from '../../sources/local-directory.ts'

/** Finds and reads the files of a model that was made elsewhere. Nothing in a file is executed. */

const ADAPTER = ['adapter_config.json', 'adapter_model.safetensors']
const LOGITS = ['logits.npy', 'logits.safetensors']

/** Whether a file of a bucket or a repository may be one of a model's files. */
function isModelFile(name: string): boolean {
  return isCheckpointFile(name) || /^(adapter_config\.json|[^/]+\.(safetensors|npy))$/.test(name)
}

/** The files of a model on this machine. */
export interface FoundModel {
  readonly directory: string
  /** The names of the files that are considered. */
  readonly names: readonly string[]
  /** A permanent name of the content, such as a commit. A directory has none. */
  readonly revision?: string
}

/**
 * Finds the files of a place, after a download if they are elsewhere. A place on this machine is a
 * directory or a file. `path` is the config key in errors. `files` selects what is downloaded.
 */
export async function findModel(
  place: string,
  path: string,
  {
    notify = () => undefined,
    files = isModelFile,
  }: {
    readonly notify?: ((line: string) => void) | undefined
    readonly files?: (name: string) => boolean
  } = {},
): Promise<FoundModel> {
  if (!isElsewhere(place)) {
    const file = resolve(place)
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile()) return { directory: dirname(file), names: [basename(file)] }
  }
  try {
    const { directory, revision } = await localDirectory(place, { files }, { notify })
    const names = (await readdir(directory)).sort()
    return { directory, names, ...(revision !== undefined && { revision }) }
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError([{ message: `${error.message}; expected the place of a model's files`, path }])
  }
}

/** What a config expects of a place. */
export interface WantedModel {
  /** The config key in errors. */
  readonly path: string
  /** Whether the experiment's model is a pre-trained one, in the layout of Hugging Face. */
  readonly isPretrained: boolean
  /** Whether the place may also hold an adapter of the original, or logits. */
  readonly isRow: boolean
}

/** The facts of a model, and the tensors of its weights by name. */
export interface InspectedModel {
  readonly given: GivenModel
  readonly tensors: Readonly<Record<string, TensorEntry>>
  readonly revision?: string
}

/** Reads what the files of a model contain, without the values. Throws a UserError. */
export async function inspectModel(
  place: string,
  wanted: WantedModel,
  notify?: (line: string) => void,
): Promise<InspectedModel> {
  const { path, isPretrained, isRow } = wanted
  const { directory, names, revision } = await findModel(place, path, {
    notify,
    files: isPretrained && !isRow ? isCheckpointFile : isModelFile,
  })
  const digestsOf = (files: readonly string[]) => at(path, () => digests(directory, files))
  const of = (given: GivenModel, tensors: InspectedModel['tensors'] = {}) => ({
    given,
    tensors,
    ...(revision !== undefined && { revision }),
  })
  const has = (name: string) => names.includes(name)
  const logits = LOGITS.find(has)
  if (logits !== undefined) {
    if (!isRow) throw refused(path, directory, `${logits} has logits, and weights are needed here`)
    return of({ kind: 'logits', files: await digestsOf([logits]) }, await headerOf(directory, logits, path))
  }
  if (has('adapter_config.json')) {
    if (!isRow || !isPretrained)
      throw refused(
        path,
        directory,
        'it is an adapter, which only a row of an experiment with a pre-trained model may be',
      )
    await at(path, () => readPeft(directory))
    return of({ kind: 'adapter', files: await digestsOf(ADAPTER) })
  }
  if (isPretrained) {
    if (!has('config.json'))
      throw refused(
        path,
        directory,
        `expected config.json and model.safetensors, as transformers writes them${pickled(names)}`,
      )
    return of({ kind: 'checkpoint', checkpoint: await at(path, () => inspectCheckpoint(directory)) })
  }
  const weights = names.filter((name) => name.endsWith('.safetensors'))
  const [file, ...others] = has('model.safetensors') ? ['model.safetensors'] : weights
  if (file === undefined) {
    const listed = names.length === 0 ? 'it is empty' : `it holds ${names.slice(0, 5).join(', ')}`
    throw refused(path, directory, `expected a file of safetensors, and ${listed}${pickled(names)}`)
  }
  if (others.length > 0)
    throw refused(
      path,
      directory,
      `it holds several files of safetensors (${weights.join(', ')}); name one of them`,
    )
  return of({ kind: 'weights', files: await digestsOf([file]) }, await headerOf(directory, file, path))
}

/**
 * The directory with a model's files, whose digests have to be those of the plan. Throws a
 * UserError.
 */
export async function plannedFiles(place: string | undefined, files: readonly GivenFile[]): Promise<string> {
  const names = files.map(({ name }) => name)
  if (place === undefined)
    throw new UserError(
      `the place of ${names.join(', ')} is not known; start the run again from its config, which names it`,
    )
  // A blob of a store has no name by which files of models are known.
  const { directory } = await findModel(place, 'from', {
    files: (name) => isModelFile(name) || names.includes(name),
  })
  const found = await digests(directory, names)
  files.forEach(({ name, sha256 }, i) => {
    if (found[i]?.sha256 !== sha256)
      throw new UserError(
        `${join(directory, name)} has the SHA-256 ${found[i]?.sha256 ?? '(it is missing)'}, expected ${sha256}: it was changed ` +
          'after the experiment was planned; start it anew, or restore the file',
      )
  })
  return directory
}

/** Reads the tensors of a file of safetensors. Throws a UserError. */
export async function readTensors(directory: string, name: string): Promise<Tensors> {
  const file = join(directory, name)
  try {
    return decodeTensors(await readRegularFile(file)).tensors
  } catch (error) {
    throw new UserError(`${file}: ${unreadable(error) ?? errorMessage(error)}`)
  }
}

/** The logits of every sample, [rows, classes]. Throws a UserError for anything else. */
export async function readGivenLogits(
  directory: string,
  { files: [file] }: GivenFiles,
): Promise<{ readonly values: Float32Array; readonly rows: number; readonly classes: number }> {
  const name = file?.name ?? ''
  const wrong = (found: string) =>
    new UserError(
      `${join(directory, name)} ${found}; expected numbers of 32 or 64 bits of shape [samples, classes]`,
    )
  const { shape, values } = name.endsWith('.npy')
    ? await readNpy(directory, name)
    : ((await readTensors(directory, name)).logits ?? { shape: [], values: undefined })
  if (!values) throw wrong('has no tensor "logits"')
  const [rows, classes, ...more] = shape
  if (rows === undefined || classes === undefined || more.length > 0)
    throw wrong(`has the shape [${shape.join(', ')}]`)
  if (!(values instanceof Float32Array)) throw wrong('has no floating-point numbers')
  const odd = values.findIndex((value) => !Number.isFinite(value))
  if (odd >= 0)
    throw wrong(`has ${values[odd] ?? NaN} in row ${Math.floor(odd / classes)}, column ${odd % classes}`)
  return { values, rows, classes }
}

async function readNpy(directory: string, name: string) {
  const file = join(directory, name)
  try {
    const array = decodeNpy(await readRegularFile(file))
    return { shape: array.shape, values: floatsOf(array) }
  } catch (error) {
    throw new UserError(`${file} ${unreadable(error) ?? errorMessage(error)}`)
  }
}

async function digests(directory: string, names: readonly string[]): Promise<GivenFile[]> {
  const files: GivenFile[] = []
  for (const name of names) {
    const path = join(directory, name)
    const opened = await openRegularFile(path).catch((error: unknown) => {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is missing' : unreadable(error)
      throw missing === undefined ? error : new UserError(`${path} ${missing}`)
    })
    const hash = createHash('sha256')
    const { size } = await opened.stat()
    // The stream closes the file.
    await pipeline(opened.createReadStream(), hash)
    files.push({ name, sha256: hash.digest('hex'), bytes: size })
  }
  return files
}

/** The tensors of a file by name: those of safetensors, or the one array of a .npy as `logits`. */
async function headerOf(
  directory: string,
  name: string,
  path: string,
): Promise<Readonly<Record<string, TensorEntry>>> {
  const file = join(directory, name)
  const bytes = await at(path, async () =>
    readRegularFile(file).catch((error: unknown) => {
      const reason = unreadable(error)
      throw reason === undefined ? error : new UserError(`${file} ${reason}`)
    }),
  )
  try {
    if (name.endsWith('.npy')) {
      const array = decodeNpy(bytes)
      floatsOf(array)
      return { logits: { dtype: 'F32', shape: array.shape, begin: 0, end: array.values.length } }
    }
    return decodeHeader(bytes.subarray(0, headerEnd(bytes, bytes.length)), bytes.length).entries
  } catch (error) {
    throw new UserError([{ message: `${file} ${errorMessage(error)}`, path }])
  }
}

/** Gives the problems of an error the config key that names the place. */
async function at<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    throw new UserError(error.problems.map((problem) => ({ ...problem, path })))
  }
}

function pickled(names: readonly string[]): string {
  const pickle = names.find(isPickle)
  return pickle === undefined ? '' : `; ${pickleAdvice(pickle)}`
}

function refused(path: string, directory: string, message: string): UserError {
  return new UserError([{ message: `${directory}: ${message}`, path }])
}
