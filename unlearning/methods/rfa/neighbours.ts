import type { Tensor, Tensor2D } from '@tensorflow/tfjs'
import type { Host } from '../../../learning/training/host.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'

/** Points with a class each. */
export interface Points {
  /** [n, d]. */
  readonly at: Tensor2D
  /** [n]. */
  readonly classes: Int32Array
}

const QUERIES_AT_ONCE = 512

/**
 * For each query, the position of the nearest candidate of the same class by ‖·‖₂, the first of
 * equally near ones, [n]. −1 if no candidate has the class.
 */
export async function nearestOfClass(queries: Points, candidates: Points, host?: Host): Promise<Int32Array> {
  const nearest = new Int32Array(queries.classes.length).fill(-1)
  for (const wanted of new Set(queries.classes)) {
    const members = positionsOf(candidates.classes, wanted)
    if (members.length === 0) continue
    const asking = positionsOf(queries.classes, wanted)
    const [centre, there, lengths] = tf.tidy((): [Tensor, Tensor2D, Tensor] => {
      const points = tf.gather(candidates.at, tf.tensor1d(members, 'int32'))
      // Centred, since the component that all points share would hide their differences in float32.
      const centre = points.mean(0)
      const centred = points.sub<Tensor2D>(centre)
      return [centre, centred, centred.square().sum(1)]
    })
    for (let first = 0; first < asking.length; first += QUERIES_AT_ONCE) {
      const some = asking.subarray(first, first + QUERIES_AT_ONCE)
      const found = tf.tidy(() => {
        const here = tf.gather(queries.at, tf.tensor1d(some, 'int32')).sub(centre)
        // ‖a − b‖² without ‖a‖², which is the same for all b.
        return lengths.sub(tf.matMul(here, there, false, true).mul(2)).argMin(1)
      })
      const positions = await found.data()
      found.dispose()
      some.forEach((query, i) => (nearest[query] = members[positions[i] ?? 0] ?? -1))
      await host?.step({})
    }
    tf.dispose([centre, there, lengths])
  }
  return nearest
}

function positionsOf(classes: Int32Array, wanted: number): Int32Array {
  return Int32Array.from([...classes.keys()].filter((i) => classes[i] === wanted))
}
