import { z } from 'zod'
import { pluginScoreSchema } from './score.ts'

/**
 * The sections `attack` and `shadow` of a config. The other sections that say how models are judged
 * are in the definitions of the stage kinds that they request (experiment/stages/).
 */

/** The section `attack`, with a schema of the entries of its list of scores. */
export function attackSchemaWith<Score extends z.ZodType>(score: Score) {
  return z
    .strictObject({
      samples: z
        .int()
        .min(10)
        .default(2000)
        .describe('members (and non-members) that train an attack, at most'),
      scores: z.array(score).min(1).optional().describe(SCORES),
    })
    .prefault({})
    .describe('membership-inference attacks on the outputs of every model')
}

const SCORES = 'scores of your own on which attacks are trained, too; the built-in scores alone unless given'

export const attackSchema = attackSchemaWith(pluginScoreSchema)

/** The section has no default, so that it changes no key of an experiment that lacks it. */
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
