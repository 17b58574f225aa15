import { execute, type Execution, type ExecutionResult } from '../../programs/execute.ts'
import { defaultLimits, type ProgramLimits } from '../../programs/usage-limits.ts'
import { taskDirectory, writeTaskDirectory, type TaskInput } from '../../programs/task-directory.ts'
import type { ProgressLine } from '../../programs/contract.ts'
import { testDirectory } from './directories.ts'

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
export function trainTask(files: Readonly<Record<string, string>> = {}): TaskInput {
  return {
    ...tinyCommon,
    task: 'train',
    files: contentOf(files),
    result: 'logits',
    sets: { train: Int32Array.of(0, 1, 2, 3) },
  }
}

/** The task of a program that forgets one sample of four. */
export function unlearnTask(files: Readonly<Record<string, string>> = {}): TaskInput {
  return {
    ...tinyCommon,
    task: 'unlearn',
    files: contentOf(files),
    options: { epochs: 2, layers: ['*'] },
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
export function predictTask(files: Readonly<Record<string, string>> = {}): TaskInput {
  return {
    ...tinyCommon,
    task: 'predict',
    files: contentOf(files),
    model: contentOf({ 'notes/model.txt': 'the unlearned model' }),
  }
}

export function contentOf(files: Readonly<Record<string, string>>): Record<string, Uint8Array> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)]))
}

export interface TriedProgram {
  /** The task directory. It is removed when the test has ended. */
  readonly directory: string
  readonly lines: readonly ProgressLine[]
  readonly logged: readonly string[]
  readonly done: Promise<ExecutionResult>
}

export interface TryOptions extends Partial<Pick<Execution, 'command' | 'tick' | 'variables' | 'device'>> {
  readonly limits?: Partial<ProgramLimits>
  readonly input?: TaskInput
}

/** Executes `program.mjs` with this text by Node, or another command, on a tiny task. */
export async function tryProgram(text: string, options: TryOptions = {}): Promise<TriedProgram> {
  const directory = testDirectory()
  const input = options.input ?? trainTask({ 'program.mjs': text, 'files.mjs': FILES })
  await writeTaskDirectory(directory, input)
  const lines: ProgressLine[] = []
  const logged: string[] = []
  const done = execute({
    command: `'${process.execPath}' program.mjs`,
    tick: () => Promise.resolve(),
    variables: [],
    device: 'cpu',
    threads: 1,
    ...options,
    directory,
    limits: { ...defaultLimits, graceSeconds: 1, ...options.limits },
    onLine: (line) => lines.push(line),
    log: (line) => logged.push(line),
  })
  return { directory, lines, logged, done }
}

/** The result folder of a task directory. */
export const outputOf = (directory: string) => taskDirectory(directory).output

/** A module that programs of tests import: it writes files of results, also wrong ones. */
const FILES = `
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export const folder = dirname(process.env.ZEROSHIFT_TASK)
export const task = JSON.parse(readFileSync(process.env.ZEROSHIFT_TASK))
export const output = (name) => join(folder, task.output, name)
export const checkpoint = (name) => join(folder, task.checkpoints, name)
export const say = (line) => console.log(JSON.stringify(line))

/** A .npy file with a header as given. */
export function npy(name, header, values) {
  const text = header.padEnd(117) + '\\n'
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length, 0])
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  writeFileSync(output(name), Buffer.concat([start, Buffer.from(text), bytes]))
}

export function logits(values, shape = '(6, 3)', descr = "'<f4'", order = 'False') {
  npy('logits.npy', "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ', }', values)
}

/** A safetensors file. Tensors are [dtype, shape, values]. */
export function safetensors(name, tensors) {
  const header = {}
  const parts = []
  let at = 0
  for (const [tensor, [dtype, shape, values]] of Object.entries(tensors)) {
    const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
    header[tensor] = { dtype, shape, data_offsets: [at, (at += bytes.length)] }
    parts.push(bytes)
  }
  const text = Buffer.from(JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  writeFileSync(output(name), Buffer.concat([length, text, ...parts]))
}
`
