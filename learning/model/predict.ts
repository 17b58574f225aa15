import type { Layer } from '../../experiment/models/layers.ts'
import type { DeviceData } from '../data/device-data.ts'
import { Compiled } from '../graph/compiled.ts'
import { forward } from './forward.ts'
import { parameterSpecs, unpack, type NamedTensors, type Weights } from './parameters.ts'
import { tf } from '../tensorflow/tf.ts'

/** A model's parameters as tensors on the device. Dispose of them with tf.dispose. */
export function parametersOf(layers: readonly Layer[], weights: Weights): NamedTensors {
  const { trained, statistics } = parameterSpecs(layers)
  return tf.tidy(() => ({
    ...unpack(trained, tf.tensor1d(weights.trained)),
    ...unpack(statistics, tf.tensor1d(weights.statistics)),
  }))
}

/**
 * Logits [n, classes], row-major, of the samples at these indices, in inference mode. To continue
 * an earlier attempt, `into` holds the logits of the first `done` samples.
 */
export async function predict(
  layers: readonly Layer[],
  parameters: NamedTensors,
  data: DeviceData,
  indices: Int32Array,
  batchSize: number,
  {
    into: logits = new Float32Array(indices.length * data.classes),
    done = 0,
    onBatch,
  }: { into?: Float32Array; done?: number; onBatch?: (done: number) => Promise<void> } = {},
): Promise<Float32Array> {
  const graphs = new Compiled(Math.ceil(indices.length / batchSize))
  try {
    for (let first = done; first < indices.length; first += batchSize) {
      const batch = indices.subarray(first, first + batchSize)
      const compute = () => {
        const images = data.images(batch)
        data.prefetch(indices.subarray(first + batchSize, first + 2 * batchSize))
        return forward(layers, parameters, images).output
      }
      const output = graphs.run(() => tf.tidy(compute))
      logits.set(await output.data(), first * data.classes)
      output.dispose()
      await onBatch?.(first + batch.length)
    }
    return logits
  } finally {
    graphs.dispose()
  }
}
