import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { LayerDistance } from '../../experiment/stages/features.ts'
import type { StageMetrics } from '../../experiment/stages/stage.ts'
import { adaptableLayers, matchesAny } from '../../experiment/models/layers.ts'
import { parametersOf } from '../../learning/model/predict.ts'
import { sample, stream } from '../../learning/random.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { pooledFeatures } from './features.ts'
import { procrustesDistance } from './procrustes.ts'
import type { Probing } from './probe.ts'

/**
 * Measures layer by layer how far a model's features are from gold's, on samples drawn from D_f and
 * on as many of D_r.
 */
export async function featureDistances({
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
}: Probing): Promise<StageMetrics['features']> {
  const compared = adaptableLayers(layers)
    .filter(matchesAny(names))
    .map(({ name }) => name)
  const random = stream(seed, 'features', 'samples')
  const drawn = sample(forget, samples, random)
  const chosen = { forget: drawn, retained: sample(retained, drawn.length, random) }
  const found = [...((host?.snapshot?.notes.layers ?? []) as readonly LayerDistance[])]

  tf.engine().startScope()
  try {
    if (!gold) throw new RangeError('feature distances need a gold model, and there is none')
    const [model, reference] = [parametersOf(layers, weights), parametersOf(layers, gold)]
    const left = { names: compared.slice(found.length), host }
    const featuresOf = async (of: typeof model) => ({
      forget: await pooledFeatures(layers, of, data, chosen.forget, left),
      retained: await pooledFeatures(layers, of, data, chosen.retained, left),
    })
    const [own, golds] = [await featuresOf(model), await featuresOf(reference)]
    for (const name of left.names) {
      const at = (of: Readonly<Record<string, Tensor2D>>) => of[name] as Tensor2D
      found.push({
        name,
        features: at(own.forget).shape[1],
        distance: {
          forget: await procrustesDistance(at(own.forget), at(golds.forget)),
          retained: await procrustesDistance(at(own.retained), at(golds.retained)),
        },
      })
      tf.dispose([own, golds].flatMap((of): Tensor[] => [at(of.forget), at(of.retained)]))
      const step = found.length
      const take = () => Promise.resolve({ step, vectors: {}, notes: { layers: [...found] } })
      await host?.step({ step, steps: compared.length }, take)
    }
  } finally {
    tf.engine().endScope()
  }
  return {
    compared: { forget: chosen.forget.length, retained: chosen.retained.length },
    layers: found,
  }
}
