import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { jsonBytes } from '../common/json.ts'
import type { Shape } from '../experiment/models/layers.ts'
import type { ProgramResult } from '../experiment/spec/program.ts'
import { CONTRACT_VERSION, taskPaths, type Task } from './contract.ts'
import { fillFolder, unpackFolder, type FolderContent } from './folder.ts'
import { integersNpy, npyHeader } from './npy.ts'

/** The data set as a program gets it. */
export interface TaskImages {
  /** The pixels of all samples, in order and in pieces of any length. */
  readonly images: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
  readonly samples: number
  readonly shape: Shape
  readonly classes: readonly string[]
  readonly white: number
  /** By channel, in pixel units, as a stored data set has them. */
  readonly mean: Float32Array
  readonly deviation: Float32Array
}

export interface TaskLabels {
  readonly labels: Int32Array
  /** The indices of the test samples, whose labels no program gets. */
  readonly test: Int32Array
}

interface CommonInput {
  /** The files of the program. */
  readonly files: FolderContent
  readonly seed: number
  readonly threads: number
  readonly device: Task['device']
  readonly options: Task['options']
}

interface DurableInput {
  readonly result: ProgramResult
  /** The checkpoint of an earlier attempt: its name, and what `packFolder` made of it. */
  readonly resume?: { readonly name: string; readonly packed: Uint8Array } | undefined
}

export type TaskInput = CommonInput &
  (
    | ({
        readonly task: 'train'
        readonly data: TaskImages & TaskLabels
        readonly sets: { readonly train: Int32Array }
      } & DurableInput)
    | ({
        readonly task: 'unlearn'
        readonly data: TaskImages & TaskLabels
        readonly sets: {
          readonly retained: Int32Array
          readonly forget: Int32Array
          readonly validation: Int32Array
        }
        readonly original: FolderContent
        /** The model of the experiment if it is built in. */
        readonly architecture?: Extract<Task, { task: 'unlearn' }>['architecture']
      } & DurableInput)
    | { readonly task: 'predict'; readonly data: TaskImages; readonly model: FolderContent }
  )

/** The places in a task directory. */
export interface TaskDirectory {
  /** The working directory of the program, with copies of its files. */
  readonly program: string
  readonly taskFile: string
  readonly output: string
  readonly checkpoints: string
  /** Folders of the program for HOME and TMPDIR. */
  readonly home: string
  readonly temporary: string
}

export function taskDirectory(directory: string): TaskDirectory {
  const task = join(directory, 'task')
  return {
    program: join(directory, 'program'),
    taskFile: join(task, 'task.json'),
    // Without a slash at the end, which would follow a link.
    output: resolve(task, taskPaths.output),
    checkpoints: resolve(task, taskPaths.checkpoints),
    home: join(directory, 'home'),
    temporary: join(directory, 'tmp'),
  }
}

/**
 * Writes all that a program needs for one task into a directory that is new or empty: equal input
 * gives equal files. Throws a RangeError if the images are not as many bytes as their shape takes.
 */
export async function writeTaskDirectory(directory: string, input: TaskInput): Promise<void> {
  const { program, taskFile, output, home, temporary } = taskDirectory(directory)
  const folder = dirname(taskFile)
  const within = (path: string) => join(folder, path)
  for (const made of [output, within('data'), home, temporary]) await mkdir(made, { recursive: true })
  await fillFolder(input.files, program)
  await writeImages(within(taskPaths.images), input.data)
  if (input.task === 'predict') await fillFolder(input.model, within(taskPaths.model))
  else await writeInputs(folder, input)
  await writeFile(taskFile, jsonBytes(taskOf(input)))
}

async function writeInputs(folder: string, input: Exclude<TaskInput, { task: 'predict' }>): Promise<void> {
  const write = (path: string, values: Int32Array) => writeFile(join(folder, path), integersNpy(values))
  const { labels, test } = input.data
  const known = labels.slice()
  for (const sample of test) known[sample] = -1
  await write(taskPaths.labels, known)

  await mkdir(join(folder, 'sets'))
  for (const [name, indices] of Object.entries<Int32Array>(input.sets))
    await write(`sets/${name}.npy`, indices.toSorted())

  await mkdir(join(folder, taskPaths.checkpoints))
  if (input.resume) await unpackFolder(input.resume.packed, join(folder, taskPaths.checkpoints))
  if (input.task === 'unlearn') await fillFolder(input.original, join(folder, taskPaths.original))
}

async function writeImages(file: string, { images, samples, shape }: TaskImages): Promise<void> {
  const expected = samples * shape[0] * shape[1] * shape[2]
  const handle = await open(file, 'wx')
  try {
    await handle.writeFile(npyHeader('uint8', [samples, ...shape]))
    let written = 0
    for await (const piece of images) {
      await handle.writeFile(piece)
      written += piece.length
    }
    if (written !== expected)
      throw new RangeError(`the images have ${written} bytes, expected ${expected} for ${samples} samples`)
  } finally {
    await handle.close()
  }
}

/** The content of `task.json`. */
function taskOf(input: TaskInput): Task {
  const { seed, threads, device, options } = input
  const common = {
    contract: CONTRACT_VERSION,
    seed,
    threads,
    device,
    options,
    output: taskPaths.output,
  } as const
  if (input.task === 'predict')
    return { ...common, task: 'predict', data: picturesOf(input.data), model: taskPaths.model }

  const { checkpoints, labels, train, retained, forget, validation, original } = taskPaths
  const { task, result, resume } = input
  const durable = {
    data: { ...picturesOf(input.data), labels },
    result,
    checkpoints,
    ...(resume && { resume: `${checkpoints}${resume.name}` }),
  }
  if (task === 'train') return { ...common, task, ...durable, sets: { train } }
  return {
    ...common,
    task,
    ...durable,
    sets: { retained, forget, validation },
    original,
    ...(input.architecture && { architecture: input.architecture }),
  }
}

function picturesOf({ classes, white, mean, deviation }: TaskImages) {
  const inWhite = (values: Float32Array) => Array.from(values, (value) => value / white)
  return {
    images: taskPaths.images,
    classes: [...classes],
    white,
    mean: inWhite(mean),
    deviation: inWhite(deviation),
  }
}
