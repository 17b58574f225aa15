import { join } from 'node:path'
import type { Shape } from '../experiment/models/layers.ts'
import { taskPaths, type ResultKind, type Task } from './contract.ts'
import type { FolderContent } from './folder.ts'

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
  readonly result: ResultKind
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
    output: join(task, taskPaths.output),
    checkpoints: join(task, taskPaths.checkpoints),
    home: join(directory, 'home'),
    temporary: join(directory, 'tmp'),
  }
}

/**
 * Writes all that a program needs for one task into a directory that is new or empty: equal input
 * gives equal files. Throws a RangeError if the images are not as many bytes as their shape takes.
 */
export function writeTaskDirectory(directory: string, input: TaskInput): Promise<void> {
  throw new Error(`not written yet: ${directory} ${input.task}`)
}
