import { z } from 'zod'
import { MathError, UserError } from '../../common/errors.ts'
import { parameterSpecs, totalSize } from '../../learning/model/parameters.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import type { UnlearnContext, Unlearned } from '../../unlearning/method.ts'

const whole = z.int().min(0)
const metricsSchema = z.strictObject({
  trainable: whole,
  steps: whole,
  samplesUsed: z.strictObject({ retained: whole, forget: whole }),
  curve: z.array(z.strictObject({ step: whole, loss: z.number(), learningRate: z.number() })),
})

/**
 * Returns the result of a plug-in's method if the stage can store it. Throws a UserError for a
 * result that is not as `Unlearned` describes it, and a MathError for weights that are not finite.
 */
export function checkedResult(
  name: string,
  { layers }: Pick<UnlearnContext, 'layers'>,
  result: unknown,
): Unlearned {
  const refuse = (what: string): never => {
    throw new UserError(`the plug-in ${name} returned ${what}; return { weights, metrics } from unlearn`)
  }
  if (typeof result !== 'object' || result === null) return refuse(`${String(result)}`)
  const { weights, metrics } = result as Partial<Unlearned>
  const specs = parameterSpecs(layers)
  for (const part of ['trained', 'statistics'] as const) {
    const values: unknown = weights?.[part]
    const size = totalSize(specs[part])
    if (!(values instanceof Float32Array)) return refuse(`no Float32Array as weights.${part}`)
    if (values.length !== size)
      return refuse(`${values.length} numbers as weights.${part}, where the model has ${size}`)
    const at = values.findIndex((value) => !Number.isFinite(value))
    if (at >= 0)
      throw new MathError(
        `the plug-in ${name} returned weights that are not finite: weights.${part}[${at}] is ${values[at] ?? NaN}`,
      )
  }
  const { error } = metricsSchema.safeParse(metrics)
  if (error) {
    const [first] = error.issues
    return refuse(
      `metrics that cannot be stored (${['metrics', ...(first?.path ?? [])].join('.')}: ${first?.message ?? ''})`,
    )
  }
  return result as Unlearned
}

/**
 * Returns the numbers of a plug-in's score if attacks can be trained on them. Throws a UserError if
 * it did not return one number for each sample, and a MathError for a number that is not finite.
 */
export function checkedScores(name: string, { labels }: Logits, scores: unknown): Float64Array {
  const refuse = (what: string): never => {
    throw new UserError(
      `the plug-in ${name} returned ${what}; return a Float64Array with one number for each sample from score`,
    )
  }
  if (!(scores instanceof Float64Array)) return refuse('no Float64Array')
  if (scores.length !== labels.length) return refuse(`${scores.length} numbers for ${labels.length} samples`)
  const at = scores.findIndex((value) => !Number.isFinite(value))
  if (at >= 0)
    throw new MathError(
      `the plug-in ${name} returned scores that are not finite: that of sample ${at} is ${scores[at] ?? NaN}`,
    )
  return scores
}
