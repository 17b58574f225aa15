import { layersOf } from '../../experiment/models/model.ts'
import type { ModelSpec } from '../../experiment/spec/model.ts'
import { tensorflowEnvironment } from '../../learning/tensorflow/tf.ts'
import type { Probing } from '../../unlearning/probes/probe.ts'
import { readSplit } from '../runtime/blob-codecs.ts'
import { deviceData, readWeights } from '../runtime/device.ts'
import type { StageContext } from '../runtime/stage.ts'

/** Computes the figures of a stage that reads a model's features beside gold's, without outputs. */
export async function withProbing<Figures>(
  {
    artifacts,
    inputs,
    host,
    timed,
  }: Pick<StageContext<'probe' | 'features'>, 'artifacts' | 'inputs' | 'host' | 'timed'>,
  {
    model,
    seed,
    options,
  }: {
    readonly model: ModelSpec
    readonly seed: number
    readonly options: { readonly layers: readonly string[]; readonly samples: number }
  },
  measure: (probing: Probing) => Promise<Figures>,
) {
  const { layers: names, samples } = options
  const { facts } = inputs.dataset.params
  const layers = layersOf(model, facts.shape, facts.classes.length)
  const weights = await readWeights(artifacts, inputs.model, layers)
  const gold = inputs.goldModel && (await readWeights(artifacts, inputs.goldModel, layers))
  const { retained, forget } = await readSplit(artifacts, inputs.split)
  const { data } = await deviceData(artifacts, inputs.dataset, model)
  try {
    const { result, seconds } = await timed(() =>
      measure({ layers, names, weights, gold, data, retained, forget, samples, seed, host }),
    )
    return { outputs: {}, metrics: result, seconds, tensorflow: tensorflowEnvironment() }
  } finally {
    data.dispose()
  }
}
