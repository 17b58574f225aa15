import { encodeTensors } from '../../artifacts/format/safetensors.ts'
import type { Layer } from '../../experiment/models/layers.ts'
import type { DeviceData } from '../../learning/data/device-data.ts'
import { parametersOf, predict } from '../../learning/model/predict.ts'
import { parameterSpecs, unpackArrays, type Weights } from '../../learning/model/parameters.ts'
import type { Host } from '../../learning/training/host.ts'
import { microBatchSize } from '../../learning/training/micro-batches.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { meanLogits } from '../../unlearning/ensemble.ts'
import { floats } from '../runtime/device.ts'
import { encodeGivenLogits } from './given-logits.ts'

const BATCH = 500

/**
 * The outputs of a stage that makes several models: the logarithms of their mean probabilities for
 * every sample, by which they are judged, and their weights under the names `1.LAYER.PARAMETER`,
 * `2.LAYER.PARAMETER` and so on.
 */
export async function ensembleFiles(
  layers: readonly Layer[],
  models: readonly Weights[],
  data: DeviceData,
  host: Host,
): Promise<Record<'logits' | 'models', Uint8Array>> {
  const all = Int32Array.from(data.labels.keys())
  const outputs: Float32Array[] = []
  for (const weights of models) {
    const parameters = parametersOf(layers, weights)
    try {
      const onBatch = () => host.step({})
      outputs.push(await predict(layers, parameters, data, all, microBatchSize(BATCH, host), { onBatch }))
    } finally {
      tf.dispose(parameters)
    }
  }
  const { classes } = data
  const values = meanLogits(outputs, classes)
  return {
    logits: encodeGivenLogits({ values, rows: all.length, classes }),
    models: encodeTensors(floats(namedTensors(layers, models))),
  }
}

function namedTensors(layers: readonly Layer[], models: readonly Weights[]) {
  const specs = parameterSpecs(layers)
  return Object.fromEntries(
    models.flatMap(({ trained, statistics }, i) =>
      Object.entries({
        ...unpackArrays(specs.trained, trained),
        ...unpackArrays(specs.statistics, statistics),
      }).map(([name, tensor]) => [`${i + 1}.${name}`, tensor] as const),
    ),
  )
}
