import { evaluatedSets, type EvaluatedSet, type Measured } from '../../experiment/records/measured.ts'
import type { ManifestOf } from '../../experiment/records/manifest.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { layersOf } from '../../experiment/models/model.ts'
import { labelsAt } from '../../learning/data/device-data.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { tensorflowEnvironment, tf } from '../../learning/tensorflow/tf.ts'
import { accuracy } from '../../unlearning/metrics/accuracy.ts'
import { matchedAccuracy } from '../../unlearning/metrics/matched-accuracy.ts'
import { confidenceHistogram } from '../../unlearning/metrics/confidence-histogram.ts'
import type { Logits } from '../../unlearning/metrics/logits.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import { givenLogits, logitsBySet } from './given-logits.ts'
import { encodeLogits } from './logits.ts'
import type { StageBody } from '../runtime/stage.ts'
import { readDataset, readSplit } from '../runtime/blob-codecs.ts'

export const evaluate: StageBody<'evaluate'> = async ({ stage, artifacts, inputs, host, timed }) => {
  const { model, batchSize } = stage.params
  const { facts } = inputs.dataset.params
  const given = await givenLogits(artifacts, inputs.model)
  if (given) {
    const { labels, train } = await readDataset(artifacts, inputs.dataset)
    const sets = inputs.split ? await readSplit(artifacts, inputs.split) : unsplit(train)
    const { result, seconds } = await timed(() => logitsBySet(given, sets, labels))
    return { outputs: { logits: encodeLogits(result) }, metrics: figuresOf(result, inputs.split), seconds }
  }
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
      metrics: figuresOf(logits, inputs.split),
      seconds,
      tensorflow: tensorflowEnvironment(),
    }
  } finally {
    tf.dispose(parameters)
    data.dispose()
  }
}

/** The accuracy on every set, and the confidence in the true class. */
function figuresOf(
  logits: Readonly<Record<EvaluatedSet, Logits>>,
  split: ManifestOf<'split'> | undefined,
): StageMetrics['evaluate'] {
  const kind = split?.params.split.kind
  return {
    accuracy: Object.fromEntries(evaluatedSets.map((set) => [set, accuracy(logits[set])])) as Record<
      EvaluatedSet,
      Measured
    >,
    confidence: {
      retained: confidenceHistogram(logits.retained),
      forget: confidenceHistogram(logits.forget),
      test: confidenceHistogram(logits.test),
    },
    ...((kind === 'class-fraction' || kind === 'indices') && {
      matched: matchedAccuracy(logits.forget.labels, logits.test),
    }),
  }
}

/**
 * The sets of an evaluation without a split: all training samples are retained, and the other sets
 * are empty.
 */
function unsplit(train: Int32Array): Readonly<Record<EvaluatedSet, Int32Array>> {
  const none = new Int32Array()
  return {
    retained: train,
    forget: none,
    validation: none,
    attackTest: none,
    test: none,
    forgottenTest: none,
  }
}
