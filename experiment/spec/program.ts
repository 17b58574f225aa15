import { z } from 'zod'

/**
 * Programs of the user that train, unlearn or predict: the model `external` and the method
 * `external` of a config. docs/reference/program-contract.md describes what a program gets and what
 * it has to leave.
 */

/** The greatest total size of a program's files, in bytes. */
export const MOST_PROGRAM_BYTES = 10_000_000

/** The forms in which a program leaves its model. */
export const programResults = ['weights', 'adapter', 'logits', 'predict'] as const
export type ProgramResult = (typeof programResults)[number]

const digest = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')

/** A path or a pattern of paths below the folder of the config. */
const pattern = z
  .string()
  .min(1)
  .refine(
    (path) => !/^[/\\]|^[A-Za-z]:|\\/.test(path) && !path.split('/').includes('..'),
    'a path below the folder of the config, with / between names and without ..',
  )

const command = z
  .string()
  .min(1)
  .regex(/^[^\0]*$/, 'text without a NUL character')

const file = z.strictObject({ path: z.string().min(1), sha256: digest, bytes: z.int().min(0) })
/** A file of a program, by its path relative to the config. */
export type ProgramFile = z.output<typeof file>

const positive = z.number().positive()

const programOptions = {
  command: command.describe('the shell command that starts the program, in a folder with its files'),
  predict: command
    .optional()
    .describe('the command that computes logits with the model that the first one left'),
  files: z
    .array(pattern)
    .default([])
    .describe('the files of the program, relative to the config; * and ** match names; at most 10 MB in all'),
  options: z.record(z.string(), z.json()).default({}).describe('passed on to the program as they are'),
  environment: z
    .string()
    .min(1)
    .max(1000)
    .optional()
    .describe('names what results depend on beside the files, such as python==3.11 torch==2.15'),
  image: z
    .string()
    .regex(/(^|@)sha256:[0-9a-f]{64}$/, 'the digest of a container image: sha256:… or NAME@sha256:…')
    .optional()
    .describe('the container image in which the operator runs the worker; it is recorded and not started'),
  variables: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable'))
    .optional()
    .describe(
      "names of the worker's environment variables that the program gets; none that hold credentials",
    ),
  limits: z
    .strictObject({
      hours: positive.optional().describe('of one attempt'),
      memory: positive.optional().describe('in GB, of all processes of the program'),
      disk: positive.optional().describe("in GB, of the program's folder"),
      output: positive.optional().describe('in MB, of standard output and standard error'),
      silence: positive.optional().describe('minutes without a line of output; 10 unless given'),
      grace: z.number().min(0).optional().describe('seconds between SIGTERM and SIGKILL; 10 unless given'),
    })
    .optional()
    .describe('what ends the program; without effect on the results of one that stays below'),
  packed: z.array(file).optional().describe('the files with their digests; filled in when they are read'),
}

export const externalModelSchema = z
  .strictObject({
    name: z.literal('external'),
    ...programOptions,
    result: z
      .enum(['predict', 'logits'])
      .default('predict')
      .describe('predict: the command `predict` computes the logits; logits: the command itself does'),
  })
  .describe('a program of yours that trains the original, gold and shadow models')
export type ExternalModelSpec = z.output<typeof externalModelSchema>

const label = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9 ._=+-]{0,63}$/, 'letters, digits, spaces and . _ = + - only, 64 at most')
  .optional()
  .describe("the row's name in tables; the method's name unless given")

export const externalMethodSchema = z
  .strictObject({
    method: z.literal('external'),
    label,
    ...programOptions,
    result: z
      .enum(programResults)
      .optional()
      .describe(
        'what the program leaves: weights of the model, an adapter for it, logits of every sample, or a model for the command `predict`; weights unless given, predict with an external model',
      ),
    tune: z.literal(false).optional().describe('the options of a program are not tuned'),
  })
  .describe('a program of yours that unlearns')
export type ExternalMethodSpec = z.output<typeof externalMethodSchema>

/** The options that a program has as a model and as a method. */
export type ProgramSpec = Omit<ExternalModelSpec, 'name' | 'result'>

/** What decides the result of a program, beside its files. */
export interface ProgramParams {
  readonly command: string
  /** Present if the result is of the form `predict`. */
  readonly predict?: string
  readonly result: ProgramResult
  readonly options: ProgramSpec['options']
  readonly environment?: string
  readonly image?: string
}

/** How a program is executed. It changes no result. */
export interface ProgramExecution {
  readonly variables?: readonly string[]
  readonly limits?: ProgramSpec['limits']
}

/** The form of the result of a method's program, in an experiment with this model. */
export function resultOf(
  { result }: Pick<ExternalMethodSpec, 'result'>,
  model: { readonly name: string },
): ProgramResult {
  return result ?? (model.name === 'external' ? 'predict' : 'weights')
}

/** The parameters of a program's stages. */
export function programParams(
  { command, predict, options, environment, image }: ProgramSpec,
  result: ProgramResult,
): ProgramParams {
  return {
    command,
    ...(result === 'predict' && predict !== undefined && { predict }),
    result,
    options,
    ...(environment !== undefined && { environment }),
    ...(image !== undefined && { image }),
  }
}

/** The part of a program's options that changes no result. */
export function executionOf({ variables, limits }: ProgramSpec): ProgramExecution {
  return { ...(variables && { variables }), ...(limits && { limits }) }
}

/** The files of a program. Every spec that is ready to run has them. */
export function programFiles({ packed, command }: ProgramSpec): readonly ProgramFile[] {
  if (!packed) throw new Error(`the files of \`${command}\` have not been read`)
  return packed
}

/** Whether a model in this form has weights that Zeroshift can read. */
export function hasWeights(result: ProgramResult): boolean {
  return result === 'weights' || result === 'adapter'
}
