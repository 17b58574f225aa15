import type { Task } from '../../programs/contract.ts'
import type { TaskInput } from '../../programs/task-directory.ts'

type InputOf<Name extends Task['task']> = Extract<TaskInput, { readonly task: Name }>

/** Six images of 2 × 2 grey pixels in three classes, the last two of them test samples. */
export const tinyData = {
  images: [Uint8Array.from({ length: 24 }, (_, i) => i % 17)],
  samples: 6,
  shape: [2, 2, 1],
  classes: ['ant', 'bee', 'cat'],
  white: 16,
  mean: Float32Array.of(8),
  deviation: Float32Array.of(4),
  labels: Int32Array.of(0, 1, 2, 0, 1, 2),
  test: Int32Array.of(4, 5),
} as const

const tinyCommon = { seed: 3, threads: 1, device: 'cpu', options: {}, data: tinyData } as const

/** The task of a program that trains on four samples. */
export function trainTask(files: Readonly<Record<string, string>> = {}): InputOf<'train'> {
  return {
    ...tinyCommon,
    task: 'train',
    files: contentOf(files),
    result: 'logits',
    sets: { train: Int32Array.of(0, 1, 2, 3) },
  }
}

/** The task of a program that forgets one sample of four. */
export function unlearnTask(files: Readonly<Record<string, string>> = {}): InputOf<'unlearn'> {
  return {
    ...tinyCommon,
    task: 'unlearn',
    files: contentOf(files),
    options: { epochs: 2, layers: ['head', 'body'] },
    result: 'predict',
    original: contentOf({ 'notes/model.txt': 'the original' }),
    sets: {
      retained: Int32Array.of(0, 1, 3),
      forget: Int32Array.of(2),
      validation: Int32Array.of(),
    },
  }
}

/** The task of a program that computes logits. */
export function predictTask(files: Readonly<Record<string, string>> = {}): InputOf<'predict'> {
  return {
    ...tinyCommon,
    task: 'predict',
    files: contentOf(files),
    model: contentOf({ 'notes/model.txt': 'the unlearned model' }),
  }
}

/** The tasks of the golden directories in `tests/fixtures/programs`. */
export const goldenTasks: Readonly<Record<Task['task'], TaskInput>> = {
  train: trainTask({ 'train.py': '# trains\n' }),
  unlearn: unlearnTask({ 'unlearn.py': '# unlearns\n', 'lib/net.py': '# a model\n' }),
  predict: predictTask({ 'predict.py': '# predicts\n' }),
}

export function contentOf(files: Readonly<Record<string, string>>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
}
