import { z } from 'zod'
import { digestOf } from '../../common/canonical.ts'
import { checkpointSchema, type CheckpointFacts } from '../models/pretrained.ts'

/**
 * Models that were made elsewhere, as a config names them and as their files describe them. The
 * digests of the files identify a model. The place of the files is in no key.
 */

/** A place of files, as sources/ reads it. */
export const place = z
  .string()
  .min(1)
  .describe('a directory or a file, s3://bucket/prefix or hf://owner/name@revision')

const files = z.array(z.strictObject({ name: z.string(), sha256: z.string(), bytes: z.int().min(0) })).min(1)

/** What the files of a model that was made elsewhere contain. */
export const givenSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('checkpoint'), checkpoint: checkpointSchema })
    .describe('a checkpoint in the layout of Hugging Face'),
  z.strictObject({ kind: z.literal('weights'), files }).describe('the weights of a built-in model'),
  z.strictObject({ kind: z.literal('adapter'), files }).describe('an adapter in the layout of PEFT'),
  z.strictObject({ kind: z.literal('logits'), files }).describe('the logits of every sample'),
])

export type GivenModel = z.output<typeof givenSchema>
export type GivenFile = CheckpointFacts['files'][number]
/** A given model that is not a checkpoint of Hugging Face. */
export type GivenFiles = Exclude<GivenModel, { kind: 'checkpoint' }>

const known = (schema: typeof givenSchema) =>
  schema.optional().describe('what the files contain; filled in when they are read')

/** The section `original` of a config. */
export const originalSchema = z
  .strictObject({
    from: place.optional().describe(`where the model is: ${place.description ?? ''}`),
    given: known(givenSchema),
  })
  .describe('a trained model that is used as the original unchanged; trained here unless given')

export type OriginalSpec = z.output<typeof originalSchema>

/** The options of a row that judges a model from elsewhere. */
export const givenRow = {
  from: place
    .optional()
    .describe(
      `where the weights, the adapter or the logits are: ${place.description ?? ''}; required in a config`,
    ),
  given: known(givenSchema),
}

/** The files of a model that was made elsewhere. */
export function filesOf(given: GivenModel): readonly GivenFile[] {
  return given.kind === 'checkpoint' ? given.checkpoint.files : given.files
}

/** The digest that identifies a model by its files. Settings name the place by it. */
export function filesDigest(given: readonly GivenFile[]): string {
  return digestOf(given.map(({ name, sha256 }) => [name, sha256]))
}

/** The facts of a given model. Every spec that is ready to run has them. */
export function givenOf({ given, from }: Pick<OriginalSpec, 'given' | 'from'>): GivenModel {
  if (!given) throw new Error(`the model in ${from ?? 'another place'} has not been read`)
  return given
}
