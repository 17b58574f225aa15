import { z } from 'zod'
import { isSafeName } from '../common/safe-name.ts'
import { count, seed } from '../experiment/spec/numbers.ts'
import { programResults } from '../experiment/spec/program.ts'

/**
 * The contract between Zeroshift and an external program: the file `task.json`, which tells the
 * program what to do, and the lines on its standard output, which tell Zeroshift how far it is.
 */

/** Is raised when a program that follows the contract would not work any more. */
export const CONTRACT_VERSION = 1

/** The environment variable with the absolute path of `task.json`. */
export const TASK_VARIABLE = 'ZEROSHIFT_TASK'

/**
 * The paths in `task.json`, relative to its folder. A folder ends with a slash. `resume` is absent
 * here, because it depends on the name of the checkpoint.
 */
export const taskPaths = {
  images: 'data/images.npy',
  labels: 'data/labels.npy',
  train: 'sets/train.npy',
  retained: 'sets/retained.npy',
  forget: 'sets/forget.npy',
  validation: 'sets/validation.npy',
  original: 'original/',
  model: 'model/',
  output: 'output/',
  checkpoints: 'checkpoints/',
} as const

const path = (meaning: string) => z.string().min(1).describe(meaning)
const indices = (meaning: string) => path(`${meaning}: row numbers as int64 of shape [n], ascending`)
const channels = z.array(z.number()).min(1)

const pictures = {
  images: path('the samples as uint8 of shape [N, height, width, channels]'),
  classes: z.array(z.string()).min(2).describe('the names of the classes; a label is a place in this list'),
  white: count.describe('the greatest pixel value'),
  mean: channels.describe('the mean of each channel over the training samples, as pixel value / white'),
  deviation: channels.describe('the standard deviation of each channel, in the same unit'),
}
const labels = path('the labels as int64 of shape [N]: -1 for every sample of the test set')

const common = {
  contract: z.literal(CONTRACT_VERSION).describe('the version of this contract'),
  seed: seed.describe('the seed of every random draw of the program'),
  threads: count.describe('the number of threads that the program may compute with'),
  device: z.enum(['cpu', 'gpu']).describe('the device to compute on'),
  options: z.record(z.string(), z.json()).describe('`options` of the config, unchanged'),
  output: path('an empty folder for the result'),
}
const durable = {
  result: z.enum(programResults).describe('the kind of result that is expected in `output`'),
  checkpoints: path('a folder for checkpoints'),
  resume: path(
    'the checkpoint of an earlier attempt, a file or folder in `checkpoints`; absent if there is none',
  ).optional(),
}

/** The content of `task.json`. */
export const taskSchema = z.discriminatedUnion('task', [
  z
    .strictObject({
      ...common,
      task: z.literal('train').describe('train a model from new weights'),
      data: z.strictObject({ ...pictures, labels }).describe('the data set'),
      sets: z.strictObject({ train: indices('the samples to train on') }),
      ...durable,
    })
    .describe('An original, gold or shadow model.'),
  z
    .strictObject({
      ...common,
      task: z.literal('unlearn').describe('remove the influence of the forget set from a trained model'),
      data: z.strictObject({ ...pictures, labels }).describe('the data set'),
      sets: z.strictObject({
        retained: indices('the training samples to keep'),
        forget: indices('the training samples to forget'),
        validation: indices(
          'samples that no model was trained on; none unless the data has a validation share',
        ),
      }),
      original: path(
        'a folder with the original model: what its program left in `output`, or `model.safetensors` of a built-in model',
      ),
      architecture: z
        .record(z.string(), z.json())
        .optional()
        .describe('the section `model` of the config with its defaults; absent for an external model'),
      ...durable,
    })
    .describe('An unlearned model.'),
  z
    .strictObject({
      ...common,
      task: z.literal('predict').describe('compute the logits of all samples with a model'),
      data: z.strictObject(pictures).describe('the data set, without labels'),
      model: path('a folder with what the task train or unlearn left in `output`'),
    })
    .describe('The logits of a model that only the program itself can load.'),
])
export type Task = z.output<typeof taskSchema>

/** A checkpoint is a direct child of its folder, and not hidden. */
const isCheckpointName = (name: string) => isSafeName(name) && !name.includes('/') && !name.startsWith('.')

/**
 * One line of standard output that reports progress. Other keys are ignored, so that later versions
 * of the contract can have more.
 */
export const progressLineSchema = z.object({
  step: z.int().min(0).optional().describe('the number of steps that are done'),
  steps: count.optional().describe('the number of steps in all'),
  loss: z.number().optional().describe('the training loss at this step'),
  accuracy: z.number().min(0).max(100).optional().describe('the training accuracy at this step, in percent'),
  checkpoint: z
    .string()
    .min(1)
    .max(200)
    .refine(isCheckpointName, 'expected the name of a file or folder directly inside the checkpoints folder')
    .optional()
    .describe('a file or folder in `checkpoints` that is complete and will not be changed any more'),
  samples: z
    .strictObject({ retained: z.int().min(0).optional(), forget: z.int().min(0).optional() })
    .optional()
    .describe('the number of distinct samples that the program used, by set'),
  metrics: z
    .record(z.string().min(1), z.number())
    .optional()
    .describe('figures of the program itself, by name'),
})
export type ProgressLine = z.output<typeof progressLineSchema>
export const progressKeys: readonly string[] = Object.keys(progressLineSchema.shape)
