import { z } from 'zod'
import { MathError, UserError } from '../../common/errors.ts'
import { parameterSpecs, totalSize } from '../../learning/model/parameters.ts'
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
