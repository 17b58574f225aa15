import { log } from '@temporalio/activity'
import { encodeTensors } from '../../artifacts/format/safetensors.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { ProgramParams } from '../../experiment/spec/program.ts'
import type { StageOf } from '../../experiment/stages/stage.ts'
import { deviceNamed } from '../../learning/tensorflow/device.ts'
import type { ProgressLine } from '../../programs/contract.ts'
import { execute } from '../../programs/execute.ts'
import { packFolder, type FolderContent } from '../../programs/folder.ts'
import { readLogitsResult } from '../../programs/result.ts'
import { taskDirectory, writeTaskDirectory, type TaskInput } from '../../programs/task-directory.ts'
import type { StageContext } from '../runtime/stage.ts'
import { limitsOf } from './limits.ts'
import { snapshotOf, stateOf, type ProgramState } from './packed-snapshot.ts'
import { ProgramReports, type Reported } from './reported.ts'
import { withWorkingDirectory } from './working-directory.ts'

type TaskOf<Name extends TaskInput['task']> = Extract<TaskInput, { readonly task: Name }>
/** The part of a task that the kind of its stage decides. */
export type ProgramTask =
  | Pick<TaskOf<'train'>, 'task' | 'data' | 'sets'>
  | Pick<TaskOf<'unlearn'>, 'task' | 'data' | 'sets' | 'original' | 'architecture'>

/** The parts of the context of a stage that executes a program. */
export type ProgramContext = Pick<
  StageContext<'train' | 'shadow' | 'unlearn'>,
  'artifacts' | 'host' | 'timed'
> & {
  readonly stage: Pick<StageOf<'train'>, 'execution'> & {
    readonly params: { readonly program: ProgramParams; readonly seed: number }
  }
  readonly inputs: { readonly program?: ManifestOf<'program'> }
}

export interface FinishedProgram<T> {
  readonly reported: Reported
  /** What was read from the folder of the result. */
  readonly result: T
  /** Wall seconds of all attempts at the program. */
  readonly seconds: number
}

/**
 * Executes the program of a stage in a temporary folder, from its last checkpoint if there is one,
 * and reads its result from the folder `output`.
 */
export async function runProgram<T>(
  context: ProgramContext,
  task: ProgramTask,
  readResult: (output: string) => Promise<T>,
): Promise<FinishedProgram<T>> {
  const { stage, host, timed } = context
  const { program, seed } = stage.params
  const resumed = host.snapshot && stateOf(host.snapshot)
  const reports = new ProgramReports(resumed?.reported)
  return withWorkingDirectory(async (directory) => {
    const { output, checkpoints } = taskDirectory(directory)
    await writeTaskDirectory(directory, {
      ...task,
      ...(await commonInput(context)),
      seed,
      result: program.result,
      ...(resumed?.checkpoint !== undefined && {
        resume: { name: resumed.checkpoint, packed: resumed.packed },
      }),
    })
    const { diskBytes } = limitsOf(stage.execution)
    const step = (checkpoint: string | undefined) =>
      host.step(
        reports.latestProgress,
        checkpoint === undefined
          ? undefined
          : async () =>
              snapshotOf({
                reported: reports.upTo(checkpoint),
                checkpoint,
                packed: await packFolder(checkpoints, { mostBytes: diskBytes, only: checkpoint }),
              }),
      )
    const { seconds } = await timed(() =>
      executeStepping(context, directory, program.command, step, (line) => {
        reports.add(line)
      }),
    )
    return { reported: reports.all, result: await readResult(output), seconds }
  })
}

/** The model of a program that leaves no weights. */
export interface ModelWithLogits {
  readonly reported: Reported
  /** The files that the program left, as one archive. */
  readonly files: Uint8Array
  /** Of every sample of the data set, [samples, classes]. */
  readonly logits: Float32Array
  readonly seconds: number
}

/**
 * Executes the program of a stage. Reads the logits that it left, or lets its second command
 * compute them with the model that it left. The second command is no part of the seconds, as the
 * evaluation of another model is none.
 */
export async function runForLogits(context: ProgramContext, task: ProgramTask): Promise<ModelWithLogits> {
  const { stage, host, timed } = context
  const { program } = stage.params
  const { samples, classes } = task.data
  const { diskBytes } = limitsOf(stage.execution)
  const resumed = host.snapshot && stateOf(host.snapshot)
  if (resumed && resumed.checkpoint === undefined) {
    const { seconds } = await timed(() => undefined)
    const { reported, packed: files } = resumed
    return { reported, files, logits: await predictedLogits(context, task, resumed), seconds }
  }
  const { reported, result, seconds } = await runProgram(context, task, async (output) => ({
    logits: program.result === 'logits' ? await readLogitsResult(output, samples, classes.length) : undefined,
    files: await packFolder(output, { mostBytes: diskBytes }),
  }))
  const { files } = result
  const logits = result.logits ?? (await predictedLogits(context, task, { reported, packed: files }))
  return { reported, files, logits, seconds }
}

/** Lets the second command of a program compute the logits of all samples. */
async function predictedLogits(
  context: ProgramContext,
  { data }: ProgramTask,
  ended: ProgramState,
): Promise<Float32Array> {
  const { stage, host } = context
  const { program, seed } = stage.params
  const { predict } = program
  if (predict === undefined) throw new Error(`the program ${program.command} has no command predict`)
  const { samples, classes } = data
  const snapshot = snapshotOf(ended)
  return withWorkingDirectory(async (directory) => {
    const { labels: _, test: __, ...pictures } = data
    await writeTaskDirectory(directory, {
      task: 'predict',
      data: pictures,
      model: ended.packed,
      ...(await commonInput(context)),
      seed,
    })
    await executeStepping(context, directory, predict, () =>
      host.step({ step: snapshot.step }, () => Promise.resolve(snapshot)),
    )
    return readLogitsResult(taskDirectory(directory).output, samples, classes.length)
  })
}

/** The logits of a model in the form of a blob. */
export function encodeAllLogits(logits: Float32Array, classes: number): Uint8Array {
  const shape = [logits.length / classes, classes]
  return encodeTensors({ logits: { dtype: 'F32', shape, values: logits } })
}

async function commonInput({ stage, inputs, artifacts }: ProgramContext) {
  const packed = inputs.program?.outputs.files
  const files: FolderContent = packed ? await artifacts.getBlob(packed) : {}
  return { files, options: stage.params.program.options, ...computer() }
}

/** Executes a command in a task directory. `step` is awaited about every half second. */
async function executeStepping(
  { stage }: ProgramContext,
  directory: string,
  command: string,
  step: (checkpoint: string | undefined) => Promise<void>,
  onLine: (line: ProgressLine) => void = () => undefined,
): Promise<void> {
  let latest: string | undefined
  let stop: unknown
  try {
    await execute({
      command,
      directory,
      variables: stage.execution?.variables ?? [],
      limits: limitsOf(stage.execution),
      ...computer(),
      onLine(line) {
        latest = line.checkpoint ?? latest
        onLine(line)
      },
      log(line) {
        log.info(line, { program: command })
      },
      async tick(checkpoint) {
        await step(checkpoint).catch((error: unknown) => {
          stop = error
          throw error
        })
      },
    })
  } catch (error) {
    // A program that is told to stop may save a last checkpoint. The step saves it and throws
    // again.
    if (error === stop && latest !== undefined) await step(latest)
    throw error
  }
}

/** What a program may compute with. The bytes of results may depend on both. */
function computer() {
  return {
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS ?? '2'),
    device: deviceNamed(process.env.ZEROSHIFT_DEVICE),
  }
}
