import { evaluatedSets, type EvaluatedSet, type Measured } from '../experiment/manifest.ts'
import { layersOf } from '../experiment/model.ts'
import { labelsAt } from '../learning/data.ts'
import { parametersOf, predict } from '../learning/predict.ts'
import { tensorflowEnvironment, tf } from '../learning/tf.ts'
import { accuracy } from '../unlearning/metrics/accuracy.ts'
import { confidenceHistogram } from '../unlearning/metrics/confidence-histogram.ts'
import type { Logits } from '../unlearning/metrics/logits.ts'
import { deviceData, readWeights } from './device.ts'
import { encodeLogits } from './logits.ts'
import type { StageBody } from './stage.ts'
import { readSplit } from './stored.ts'
import { timed } from './timed.ts'

export const evaluate: StageBody<'evaluate'> = async ({ stage, artifacts, inputs, step }) => {
  const { model, batchSize } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const weights = await readWeights(artifacts, inputs.model, layers)
  const split = await readSplit(artifacts, inputs.split)
  const { data } = await deviceData(artifacts, inputs.dataset)
  const parameters = parametersOf(layers, weights)
  const steps = evaluatedSets.reduce((sum, set) => sum + split[set].length, 0)
  let done = 0
  try {
    const { result: logits, seconds } = await timed(async () => {
      const sets = {} as Record<EvaluatedSet, Logits>
      for (const set of evaluatedSets) {
        const values = await predict(layers, parameters, data, split[set], batchSize, (count) =>
          step({ step: done + count, steps }),
        )
        done += split[set].length
        sets[set] = { values, labels: labelsAt(data.labels, split[set]), classes: data.classes }
      }
      return sets
    })
    return {
      outputs: { logits: encodeLogits(logits) },
      metrics: {
        accuracy: Object.fromEntries(evaluatedSets.map((set) => [set, accuracy(logits[set])])) as Record<
          EvaluatedSet,
          Measured
        >,
        confidence: {
          retained: confidenceHistogram(logits.retained),
          forget: confidenceHistogram(logits.forget),
          test: confidenceHistogram(logits.test),
        },
      },
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    tf.dispose(parameters)
    data.dispose()
  }
}
