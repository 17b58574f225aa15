import type { Rank, Tensor1D } from '@tensorflow/tfjs'
import type { Layer } from '../../../experiment/models/layers.ts'
import type { DeviceData } from '../../../learning/data/device-data.ts'
import { Compiled } from '../../../learning/graph/compiled.ts'
import type { Host, Snapshot } from '../../../learning/training/host.ts'
import { crossEntropy } from '../../../learning/training/losses.ts'
import { forward } from '../../../learning/model/forward.ts'
import { parameterSpecs, unpack, type Weights } from '../../../learning/model/parameters.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { vector } from '../../../learning/training/train.ts'

/** Gradients at fixed parameters, for saliency, importance and Fisher information. */

/**
 * Returns a function that computes ∇_θ [size] of the mean cross-entropy of a batch. `labels` [n]
 * replace the labels of the data. Batch norms use their running statistics, so a sample's gradient
 * does not depend on its batch.
 */
export function gradientAt(
  layers: readonly Layer[],
  { trained, statistics }: Weights,
  data: DeviceData,
): (batch: Int32Array, labels?: Tensor1D) => Tensor1D {
  const specs = parameterSpecs(layers)
  const theta = tf.tensor1d(trained)
  const running = unpack(specs.statistics, tf.tensor1d(statistics))
  return (batch, labels) =>
    tf.tidy(() => {
      const loss = (flat: Tensor1D) => {
        const { output } = forward(layers, { ...unpack(specs.trained, flat), ...running }, data.images(batch))
        return crossEntropy(output, labels ?? data.labelsOf(batch))
      }
      return tf.grad((flat) => loss(flat as Tensor1D))(theta) as Tensor1D
    })
}

/** Consecutive batches. The last one may be smaller. */
export function batchesOf(indices: Int32Array, size: number): readonly Int32Array[] {
  return Array.from({ length: Math.ceil(indices.length / size) }, (_, i) =>
    indices.subarray(i * size, (i + 1) * size),
  )
}

export interface Pass {
  readonly batches: readonly Int32Array[]
  /**
   * The summand [size] of one batch. Runs inside tf.tidy and as a graph
   * (learning/graph/compiled.ts).
   */
  readonly term: (batch: Int32Array) => Tensor1D
}

/**
 * Sums each pass over its batches, one pass after the other. Returns one sum [size] per pass. Every
 * batch is a step after which a snapshot may be taken. `steps` is given if the method has more.
 */
export async function sumsOf(
  passes: readonly Pass[],
  size: number,
  {
    data,
    host,
    steps = passes.reduce((sum, { batches }) => sum + batches.length, 0),
  }: { data: DeviceData; host?: Host | undefined; steps?: number },
): Promise<readonly Tensor1D[]> {
  const from = host?.snapshot
  const sums = passes.map((_, i) =>
    from ? tf.tensor1d(vector(from, `sums.${i}`)) : tf.zeros<Rank.R1>([size]),
  )
  const todo = passes.flatMap(({ batches, term }, i) => batches.map((batch) => ({ batch, term, i })))
  const graphs = new Compiled(todo.length)
  try {
    for (const [step, { batch, term, i }] of todo.entries()) {
      if (step < (from?.step ?? 0)) continue
      const next = todo[step + 1]
      if (next) data.prefetch(next.batch)
      const before = sums[i] as Tensor1D
      sums[i] = graphs.run(() => tf.tidy(() => before.add(term(batch))))
      before.dispose()
      await host?.step({ step: step + 1, steps }, () => sumsAt(step + 1, sums))
    }
    return sums
  } finally {
    graphs.dispose()
  }
}

/**
 * The host of a pass that comes before a training. The pass has no snapshots, since these belong to
 * the training; a later attempt repeats it.
 */
export function withoutSnapshots(host: Host | undefined): Host | undefined {
  return host && { step: () => host.step({}) }
}

/** The snapshot from which `sumsOf` continues. It skips the batches that were summed already. */
export async function sumsAt(step: number, sums: readonly Tensor1D[]): Promise<Snapshot> {
  const values = await Promise.all(sums.map((sum) => sum.data()))
  return {
    step,
    vectors: Object.fromEntries(values.map((value, i) => [`sums.${i}`, value as Float32Array])),
    notes: {},
  }
}
