import { z } from 'zod'
import { count } from './numbers.ts'
import { optimizerSchema } from './optimizer.ts'

/**
 * The sections of a config that say how models are judged: `attack`, `shadow`, `relearn` and
 * `probe`. An absent section has no default, so that it changes no key.
 */

export const attackSchema = z
  .strictObject({
    samples: z
      .int()
      .min(10)
      .default(2000)
      .describe('members (and non-members) that train an attack, at most'),
  })
  .prefault({})
  .describe('membership-inference attacks on the outputs of every model')

export const shadowSchema = z
  .strictObject({
    models: z
      .int()
      .min(8)
      .max(256)
      .multipleOf(2, 'an even number (the two models of a pair train on complementary halves of the samples)')
      .describe('how many: 8 are a first look, 64 and more tell each sample from the others'),
  })
  .optional()
  .describe(
    'models trained on random halves of all samples, by which LiRA and RMIA attack every model; none unless given',
  )

export const relearnSchema = z
  .strictObject({
    maxSteps: count
      .max(10_000)
      .default(200)
      .describe('the count ends here if the forget set is not learnt by then'),
    batchSize: count.default(64).describe('samples in a batch'),
    optimizer: optimizerSchema
      .optional()
      .describe("the training's unless given; the learning rate stays as it is"),
    every: count.default(1).describe('steps between two looks at the accuracy on the forget set'),
  })
  .optional()
  .describe('count the steps in which every model learns the forget set again; not done unless given')

export const probeSchema = z
  .strictObject({
    layers: z
      .array(z.string().min(1))
      .min(1)
      .default(['*'])
      .describe('names of the linear and conv layers; * matches anything'),
    samples: z
      .int()
      .min(4)
      .default(2000)
      .describe('forget samples at most: one half trains the probes, the other tests them'),
  })
  .optional()
  .describe(
    "train linear probes on every model's features, and compare these with gold's; not done unless given",
  )

export type RelearnSpec = NonNullable<z.output<typeof relearnSchema>>
export type ProbeSpec = NonNullable<z.output<typeof probeSchema>>
