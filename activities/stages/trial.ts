import { MathError } from '../../common/errors.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { tensorflowEnvironment, tf } from '../../learning/tensorflow/tf.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import type { Unlearned } from '../../unlearning/method.ts'
import { accuracy } from '../../unlearning/metrics/accuracy.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { validationGap } from '../../unlearning/metrics/validation-gap.ts'
import type { StageBody } from '../runtime/stage.ts'
import { prepareMethod } from './apply-method.ts'
import { readLogits } from './logits.ts'
import { variantAt } from './variant-at.ts'

export const trial: StageBody<'trial'> = async (context) => {
  const { stage, artifacts, inputs, host, timed } = context
  const { method, place, batchSize } = stage.params
  const variant = inputs.tuned && place !== undefined ? variantAt(inputs.tuned, place) : method
  const original = await readLogits(artifacts, inputs.originalEvaluation)
  const { layers, split, data, apply } = await prepareMethod(context, variant)

  const logitsOf = async (
    { weights }: Unlearned,
    set: 'retained' | 'forget' | 'validation',
  ): Promise<Logits> => {
    const parameters = parametersOf(layers, weights)
    try {
      const values = await predict(layers, parameters, data, split[set], microBatchSize(batchSize, host), {
        onBatch: () => host.step({}),
      })
      return { values, labels: labelsAt(data.labels, split[set]), classes: data.classes }
    } finally {
      tf.dispose(parameters)
    }
  }

  const measure = async (): Promise<StageMetrics['trial']> => {
    const unlearned = await apply()
    if ('models' in unlearned) throw new Error(`${variant.method} is exact, and is not tuned`)
    const retained = await logitsOf(unlearned, 'retained')
    const forget = await logitsOf(unlearned, 'forget')
    const validation = await logitsOf(unlearned, 'validation')
    return {
      gap: validationGap({ retained, forget, validation }, original),
      accuracy: {
        retained: accuracy(retained),
        forget: accuracy(forget),
        validation: accuracy(validation),
      },
      steps: unlearned.metrics.steps,
    }
  }

  try {
    // A variant that diverges is a result: it ranks behind all others.
    const { result, seconds } = await timed(() =>
      measure().catch((error: unknown): StageMetrics['trial'] => {
        if (error instanceof MathError) return { gap: { missing: error.message } }
        throw error
      }),
    )
    return { outputs: {}, metrics: result, seconds, tensorflow: tensorflowEnvironment() }
  } finally {
    data.dispose()
  }
}
