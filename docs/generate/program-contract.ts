import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fixedVariables, threadVariables } from '../../common/program-variables.ts'
import { CONTRACT_VERSION, progressLineSchema, taskSchema } from '../../programs/contract.ts'
import { jsonSchemaOf, type JsonSchema } from '../../experiment/spec/option-list.ts'
import { code, plain, table } from './markdown.ts'

/** docs/reference/program-contract.md: what external programs get and what they have to leave. */
export function programContractPage(): string {
  return [
    INTRODUCTION,
    taskTable(),
    `A program that unlearns gets, for example:`,
    fenced('json', golden('unlearn/task/task.json')),
    ARRAYS,
    ENVIRONMENT,
    environmentTable(),
    RESULTS,
    LINES,
    lineTable(),
    fenced('json', golden('progress.jsonl')),
    REST,
  ].join('\n\n')
}

const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.trim()}\n\`\`\``

/** A file of the golden task directories, which tests compare with what the code writes. */
function golden(path: string): string {
  return readFileSync(join(import.meta.dirname, '../../tests/fixtures/programs/golden', path), 'utf8')
}

/** The environment variables that every external program gets. */
function environmentTable(): string {
  return table(
    ['variable', 'value'],
    [
      ['`ZEROSHIFT_TASK`', 'the absolute path of `task.json`'],
      ['`PATH`', 'that of the worker'],
      ['`HOME`, `TMPDIR`', 'empty folders of the program'],
      [threadVariables.map(code).join(', '), '`threads` of `task.json`'],
      ['`CUDA_VISIBLE_DEVICES`', 'that of the worker if `device` is gpu; empty if it is cpu'],
      ...Object.entries(fixedVariables).map(([name, value]) => [code(name), code(value)]),
    ],
  )
}

interface Key {
  readonly path: string
  readonly meaning: string
  readonly isRequired: boolean
}

/** A row for each key of `task.json`, with the tasks that have it. */
function taskTable(): string {
  const variants = (jsonSchemaOf(taskSchema).oneOf ?? []).map((schema) => ({
    task: String(schema.properties?.task?.const),
    keys: keysOf(schema, ''),
  }))
  const paths = [...new Set(variants.flatMap(({ keys }) => keys.map(({ path }) => path)))]
  const rows = paths.map((path) => {
    const having = variants.flatMap(({ task, keys }) =>
      keys.filter((key) => key.path === path).map((key) => ({ task, ...key })),
    )
    const meanings = [
      ...new Set(having.map(({ task, meaning }) => (path === 'task' ? `${task}: ${meaning}` : meaning))),
    ]
    const isOptional = having.some(({ isRequired }) => !isRequired)
    const tasks = having.length === variants.length ? 'all' : having.map(({ task }) => task).join(', ')
    return [code(path), `${tasks}${isOptional ? ', not always' : ''}`, plain(meanings.join('; '))]
  })
  return table(['key', 'tasks', 'meaning'], rows)
}

function lineTable(): string {
  const rows = keysOf(jsonSchemaOf(progressLineSchema), '').map(({ path, meaning }) => [
    code(path),
    plain(meaning),
  ])
  return table(['key', 'meaning'], rows)
}

/** The keys of an object, with dotted paths for those of objects inside it. */
function keysOf({ properties = {}, required = [] }: JsonSchema, prefix: string): readonly Key[] {
  return Object.entries(properties).flatMap(([name, schema]): readonly Key[] => {
    const path = `${prefix}${name}`
    const inside = keysOf(schema, `${path}.`).filter(({ meaning }) => meaning !== '')
    if (inside.length > 0) return inside
    return [{ path, meaning: schema.description ?? '', isRequired: required.includes(name) }]
  })
}

const INTRODUCTION = `# The contract with external programs

This page describes version ${CONTRACT_VERSION} of the contract between Zeroshift and a program of yours that trains, unlearns or predicts. The
program can be written in any language. [External programs](../guides/external-programs.md) is the guide. It also lists what Zeroshift does not prevent a program from doing.

Zeroshift executes \`command\` of the config by \`/bin/sh -c\`, in a folder with copies of the \`files\` of the config. The environment variable
\`ZEROSHIFT_TASK\` is the absolute path of the file \`task.json\`. All paths in this file are relative to its folder. A program may read everything in that folder. It
writes to \`output\` and \`checkpoints\`, and to its own folders \`HOME\` and \`TMPDIR\`. All of them are removed at its end.

## task.json

[program-task.schema.json](../../configs/program-task.schema.json) is its JSON Schema.`

const ARRAYS = `Arrays are \`.npy\` files of NumPy, version 1, little endian and in C order. Row numbers count from 0 and hold for \`images\`, \`labels\` and the logits alike.
No program gets the label of a test sample: it is −1. Otherwise a program could train on the samples by which it is judged.

The folder \`original\` contains what the original's program left in \`output\`. If the model is built in, it contains \`model.safetensors\`: float32 tensors under the
[names of Zeroshift](models.md). Images are [n, height, width, channels], the kernel of a convolution is [height, width, in, out], and the weight of a linear layer is
[in, out]. If the model is \`pretrained\`, it contains the files that transformers loads, \`config.json\` among them.`

const ENVIRONMENT = `## The environment

A program gets the following environment variables, and those that \`variables\` of the config names. It gets no other variable of the worker, and none whose name looks
like that of a credential.`

const RESULTS = `## The result

The program ends with the exit code 0. What it leaves in \`output\` depends on \`result\` in the config:

| \`result\` | content of \`output\` |
| --- | --- |
| \`weights\` | \`model.safetensors\` with exactly the tensors of \`model.safetensors\` in \`original\`: the same names and shapes, float32. Counters \`*.num_batches_tracked\` are ignored. This is the default for a built-in model. |
| \`adapter\` | \`adapter_config.json\` and \`adapter_model.safetensors\` in PEFT's layout, for a pretrained model. Zeroshift merges the adapter into the original. |
| \`logits\` | \`logits.npy\`: float32 or float64 of shape [N, classes], a row for each row of \`images\`. |
| \`predict\` | Any files. Zeroshift then executes the command \`predict\` with the task \`predict\`, whose folder \`model\` contains these files. That command leaves \`logits.npy\` in its own \`output\`. This is the default for an external model. |

All numbers must be finite. Links and special files are refused, empty folders are not kept, and all files together have 2 GiB at most. With \`logits\`, further files in \`output\` are kept as well: an unlearning method gets
them in \`original\`. A pickle, such as PyTorch's \`.pt\`, is never read by Zeroshift, but your own \`predict\` command may read it.

The second run of a program with the same task must leave the same bytes if its results are to be reproducible: draw all random numbers from \`seed\`, and write no time,
host name or path into a result. \`zeroshift verify\` tells whether it does.`

const LINES = `## Lines on standard output

A line that is a JSON object with at least one of these keys reports progress. All keys are optional, and further keys are ignored. All other lines, and standard error,
go to the log of the worker. The last 20 lines of standard error are part of the error if the program fails.
[program-progress.schema.json](../../configs/program-progress.schema.json) is the JSON Schema of a line.`

const REST = `A line that begins with \`{"\` and is not valid JSON is an error, so that a loss that is \`NaN\` is noticed at once. Write each line immediately, without a buffer:
Python does so here because \`PYTHONUNBUFFERED\` is set.

## Checkpoints

A program that can continue writes a file or a folder into \`checkpoints\`, completes it, and then names it: \`{"step": 40, "checkpoint": "step-40"}\`. From then on it does not change it, and it uses each
name once. Zeroshift saves the latest one as it saves its own checkpoints: at intervals, and when the attempt is stopped. It removes earlier ones. The next attempt, perhaps on another machine, finds the saved one
under the path \`resume\`, and has to end with the same bytes as an attempt that was never stopped. A checkpoint therefore contains the state of the optimizer and of the random generators.

## The end

| event | what happens |
| --- | --- |
| exit code 0 | The rest of the program's process group is killed, and the result is read. |
| another exit code, or a crash | The stage fails, and is not tried again. |
| SIGKILL, SIGTERM, SIGINT or SIGHUP from elsewhere | The stage is tried again, 10 attempts at most. The system kills programs if memory runs out. |
| cancel, pause, or the end of the worker | The process group gets SIGTERM, and SIGKILL after the grace period (10 s unless \`limits.grace\` says otherwise). |
| the worker is killed | The process group is killed as well. |
| a limit is exceeded | The process group is killed, and the stage fails. |

\`limits\` of the config are the hours of an attempt, memory, disk space, bytes of output, and the silence: ten minutes without a line on standard output or standard
error, unless the config says otherwise. They change no result, and are no part of the stage's key.

## Versions

The version rises if a program that follows this page would not work any more. New keys of \`task.json\` and of lines do not raise it: ignore keys that you do not know.`
