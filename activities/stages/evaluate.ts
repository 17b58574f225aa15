import { evaluatedSets, type EvaluatedSet } from '../../experiment/records/measured.ts'
import { layersOf } from '../../experiment/models/model.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { tensorflowEnvironment, tf } from '../../learning/tensorflow/tf.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import { figuresOf, unsplit } from './evaluation.ts'
import { encodeLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readSplit } from '../runtime/blob-codecs.ts'

export const evaluate: StageBody<'evaluate'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { model, batchSize, matched } = stage.params
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const weights = await readWeights(artifacts, inputs.model, layers)
  const stored = inputs.split && (await readSplit(artifacts, inputs.split))
  const { data, train } = await deviceData(artifacts, inputs.dataset, model)
  const split = stored ?? unsplit(train)
  const parameters = parametersOf(layers, weights)
  const steps = evaluatedSets.reduce((sum, set) => sum + split[set].length, 0)
  try {
    const { result: logits, seconds } = await timed(async () => {
      const sets = {} as Record<EvaluatedSet, Logits>
      const all = new Float32Array(steps * data.classes)
      const earlier = host.snapshot
      all.set(earlier?.vectors.logits ?? [])
      let first = 0
      for (const set of evaluatedSets) {
        const begin = first
        const size = split[set].length
        const values = await predict(layers, parameters, data, split[set], microBatchSize(batchSize, host), {
          into: all.subarray(begin * data.classes, (begin + size) * data.classes),
          done: Math.min(size, Math.max(0, (earlier?.step ?? 0) - begin)),
          onBatch: (count) => {
            const step = begin + count
            const take = () => ({ step, vectors: { logits: all.slice(0, step * data.classes) }, notes: {} })
            return host.step({ step, steps }, () => Promise.resolve(take()))
          },
        })
        first += size
        sets[set] = { values, labels: labelsAt(data.labels, split[set]), classes: data.classes }
      }
      return sets
    })
    return {
      outputs: { logits: encodeLogits(logits) },
      metrics: figuresOf(logits, matched),
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    tf.dispose(parameters)
    data.dispose()
  }
}
