import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import { NO_GOLD } from '../../experiment/records/no-gold.ts'
import type { ProbedLayer } from '../../experiment/stages/probe.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { adaptableLayers, matchesAny, type Layer } from '../../experiment/models/layers.ts'
import { labelsAt, type DeviceData } from '../../learning/data/device-data.ts'
import type { Host } from '../../learning/training/host.ts'
import type { Weights } from '../../learning/model/parameters.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { pooledFeatures } from './features.ts'
import { linearCka } from './linear-cka.ts'
import { probeAccuracy } from './linear-probe.ts'
import { probeSamples } from './samples.ts'

export interface Probing {
  readonly layers: readonly Layer[]
  /** Patterns of the names of the layers to probe. */
  readonly names: readonly string[]
  /** The weights of the model and of gold. Gold may be absent. */
  readonly weights: Weights
  readonly gold?: Weights | undefined
  readonly data: DeviceData
  readonly retained: Int32Array
  readonly forget: Int32Array
  /** The largest number of samples of D_f. */
  readonly samples: number
  readonly seed: number
  readonly host?: Host | undefined
}

/**
 * Measures layer by layer what a model's features reveal about D_f, independently of its outputs:
 * the percentage of D_f that a linear probe classifies correctly, and the similarity of the
 * features to gold's on D_f and D_r. A probe also finds classes in the features of a model that
 * never saw them, so the accuracy must be compared with gold's own.
 */
export async function probe({
  layers,
  names,
  weights,
  gold,
  data,
  retained,
  forget,
  samples,
  seed,
  host,
}: Probing): Promise<StageMetrics['probe']> {
  const probed = adaptableLayers(layers)
    .filter(matchesAny(names))
    .map(({ name }) => name)
  const chosen = probeSamples({ retained, forget }, data.labels, samples, stream(seed, 'probe', 'samples'))
  const [trainLabels, testLabels] = [chosen.train, chosen.test].map((indices) =>
    labelsAt(data.labels, indices),
  ) as [Int32Array, Int32Array]
  const found = [...((host?.snapshot?.notes.layers ?? []) as readonly ProbedLayer[])]

  tf.engine().startScope()
  try {
    const model = parametersOf(layers, weights)
    const reference = gold && parametersOf(layers, gold)
    const left = { names: probed.slice(found.length), host }
    const features = (of: typeof model, indices: Int32Array) =>
      pooledFeatures(layers, of, data, indices, left)
    const own = {
      train: await features(model, chosen.train),
      test: await features(model, chosen.test),
      forget: await features(model, chosen.forget),
      retained: await features(model, chosen.retained),
    }
    const golds = reference && {
      forget: await features(reference, chosen.forget),
      retained: await features(reference, chosen.retained),
    }
    for (const name of left.names) {
      const at = (of: Readonly<Record<string, Tensor2D>>) => of[name] as Tensor2D
      found.push({
        name,
        features: at(own.train).shape[1],
        accuracy: await probeAccuracy(
          { features: at(own.train), labels: trainLabels },
          { features: at(own.test), labels: testLabels },
        ),
        cka: golds
          ? {
              forget: await linearCka(at(own.forget), at(golds.forget)),
              retained: await linearCka(at(own.retained), at(golds.retained)),
            }
          : { forget: { missing: NO_GOLD }, retained: { missing: NO_GOLD } },
      })
      tf.dispose([...Object.values(own), ...Object.values(golds ?? {})].map((of): Tensor => at(of)))
      const step = found.length
      const take = () => Promise.resolve({ step, vectors: {}, notes: { layers: [...found] } })
      await host?.step({ step, steps: probed.length }, take)
    }
  } finally {
    tf.engine().endScope()
  }
  return {
    trained: chosen.train.length,
    tested: chosen.test.length,
    compared: { forget: chosen.forget.length, retained: chosen.retained.length },
    layers: found,
  }
}
