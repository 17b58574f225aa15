import { execute, type Execution, type ExecutionResult } from '../../programs/execute.ts'
import { defaultLimits, type ProgramLimits } from '../../programs/usage-limits.ts'
import { taskDirectory, writeTaskDirectory, type TaskInput } from '../../programs/task-directory.ts'
import type { ProgressLine } from '../../programs/contract.ts'
import { testDirectory } from './directories.ts'
import { trainTask } from './tasks.ts'

export interface TriedProgram {
  /** The task directory. It is removed when the test has ended. */
  readonly directory: string
  readonly lines: readonly ProgressLine[]
  readonly logged: readonly string[]
  readonly done: Promise<ExecutionResult>
}

export interface TryOptions extends Partial<
  Pick<Execution, 'command' | 'tick' | 'variables' | 'device' | 'onLine' | 'log'>
> {
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
    onLine(line) {
      lines.push(line)
      options.onLine?.(line)
    },
    log(line) {
      logged.push(line)
      options.log?.(line)
    },
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
