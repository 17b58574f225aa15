import { z } from 'zod'
import { dataSchema } from './data.ts'
import { originalSchema } from './given.ts'
import { goldSchema } from './gold.ts'
import { attackSchema, shadowSchema } from './judgement.ts'
import { rowSchema } from './methods.ts'
import { anyModelSchema, type ModelSpec } from './model.ts'
import { noPlugins, type Plugins } from './plugin.ts'
import { DATA, METHODS, MODEL, sectionsWith } from './plugin-sections.ts'
import { seed } from './numbers.ts'
import { requestedSections } from './requested-sections.ts'
import { settingsSchema } from './settings.ts'
import { splitSchema } from './split.ts'
import { trainingSchema, type TrainingSpec } from './training.ts'
import { tuneSchema } from './tune.ts'

/**
 * The most repetitions of an experiment. There have to be fewer than 1000, because the seeds of the
 * gold models of one repetition are 1000 apart. The stage `population` holds the margins of all
 * models in memory: with this number 0.25 GB for the 60,000 samples of CIFAR-10.
 */
const MOST_SEEDS = 256

/**
 * An experiment as plain JSON: defaults are filled in, and nothing depends on a machine. The places
 * of files and servers are `Settings`, which cannot change a result.
 */
export const specSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens only, 63 at most')
    .describe('the name of the experiment: lower-case letters, digits and hyphens, 63 at most'),
  seed: z
    .strictObject({
      data: seed.default(1).describe('test and validation samples'),
      split: seed
        .default(1)
        .describe('forget samples, the halves of the test set, and the samples of attacks and probes'),
      training: seed.default(1).describe('initial weights, order of batches and augmentation in training'),
      unlearning: seed.default(1).describe('unlearning methods, the untrained twin and relearning'),
    })
    .prefault({})
    .describe('the seeds of the random streams'),
  // The transformation makes 1 absent, so that it changes no key.
  seeds: z
    .int()
    .min(1)
    .max(MOST_SEEDS)
    .transform((n) => (n > 1 ? n : undefined))
    .optional()
    .describe(
      'number of repetitions; each adds 1 to the training seed and to the unlearning seed; 1 unless given',
    ),
  data: dataSchema.describe(DATA),
  split: splitSchema.describe('the samples to forget'),
  model: anyModelSchema.describe(MODEL),
  training: trainingSchema
    .optional()
    .describe('how the original and the gold models are trained; required unless the model is external'),
  original: originalSchema.optional(),
  gold: goldSchema.prefault({}).describe('models trained on the retained set alone, or none'),
  methods: z.array(rowSchema).min(1).describe(METHODS),
  tune: tuneSchema,
  shadow: shadowSchema,
  ...requestedSections,
  attack: attackSchema,
})

export type Spec = z.output<typeof specSchema>

/** A model that is trained here, and how. */
export interface TrainedHere {
  readonly model: ModelSpec
  readonly training: TrainingSpec
}

/** Returns undefined if an external program trains the models of the experiment. */
export function trainedHere({ model, training }: Pick<Spec, 'model' | 'training'>): TrainedHere | undefined {
  return model.name === 'external' ? undefined : withTraining(model, training)
}

/** Every checked spec with such a model has the section `training`. */
export function withTraining(model: ModelSpec, training: Spec['training']): TrainedHere {
  if (!training) throw new Error(`a spec with the model ${model.name} lacks the section training`)
  return { model, training }
}

/** A config file: the spec and the settings side by side. It may name these plug-ins. */
export function configSchemaWith(plugins: Plugins) {
  return z.strictObject({ ...specSchema.shape, ...sectionsWith(plugins), ...settingsSchema.shape })
}

/** A config file that names no plug-in. */
export const configSchema = configSchemaWith(noPlugins)
