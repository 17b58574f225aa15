import type { Tensor, Tensor1D } from '@tensorflow/tfjs'
import type { NormPoint, ResidualNorms } from '../../../experiment/stages/unlearn.ts'
import type { Batches } from '../../../learning/data/batches.ts'
import { Compiled } from '../../../learning/graph/compiled.ts'
import { tf } from '../../../learning/tensorflow/tf.ts'
import { microBatchSize } from '../../../learning/training/micro-batches.ts'
import type { StepCallback } from '../../../learning/training/train.ts'
import type { UnlearnContext } from '../../method.ts'
import { inverseNorms } from './loss.ts'
import type { RfaProblem } from './problem.ts'
import type { Student } from './student.ts'
import type { Teacher } from './teacher.ts'

export interface NormCurve extends StepCallback {
  /** Measures after a number of steps, unless that was done, with these parameters A and B. */
  measure(step: number, ab: Tensor1D | Float32Array): Promise<void>
  norms(): ResidualNorms
  dispose(): void
}

/**
 * Measures the residual r_l = h_l − f_l at every aligned layer l, on the batches B of every so many
 * steps, after the step was taken:
 *
 *     norm_l(B) = √( E_{x in B} ‖r_l(x)‖²  /  E_{x in D_r} ‖f_l(x)‖² )
 *
 * Both features are computed by the same operations and apart from the steps, so that the residual
 * of B = 0 is exactly 0 and no weight depends on whether norms are measured.
 */
export async function residualNorms(
  every: number,
  { method, aligned, host }: RfaProblem,
  teacher: Teacher,
  student: Student,
  batches: Readonly<Record<'retained' | 'forget', Batches>>,
  untimed: NonNullable<UnlearnContext['untimed']>,
): Promise<NormCurve> {
  const inverse = await untimed(() => inverseNorms(teacher.retained.features))
  // Batches of either set have a shape of their own.
  const graphs = new Compiled(Math.floor(method.steps / every) + 2, 2)
  let points: readonly NormPoint[] = []

  /** Σ ‖r_l‖² over some rows of a set, of each layer. */
  const sums = async (ab: Tensor1D, input: Tensor, rows: Int32Array) => {
    const compute = () => {
      const x = tf.gather(input, tf.tensor1d(rows, 'int32'))
      const [h, f] = [student.features(ab, x, false), student.frozen(x)]
      return tf.stack(
        aligned.map((name) =>
          (h[name] as Tensor)
            .sub(f[name] as Tensor)
            .square()
            .sum(),
        ),
      )
    }
    const computed = graphs.run(() => tf.tidy(compute))
    const values = await computed.data()
    computed.dispose()
    return values
  }

  const normsOf = async (ab: Tensor1D, set: keyof typeof batches, step: number) => {
    const batch = batches[set].positions(Math.max(0, step - 1))
    const size = microBatchSize(batch.length, host)
    const squares = new Float64Array(aligned.length)
    for (let first = 0; first < batch.length; first += size) {
      const part = await sums(ab, teacher[set].input, batch.subarray(first, first + size))
      part.forEach((value, i) => (squares[i] = (squares[i] ?? NaN) + value))
    }
    return aligned.map((name, i) => Math.sqrt(((squares[i] ?? NaN) / batch.length) * (inverse[name] ?? NaN)))
  }

  const measure = (step: number, given: Tensor1D | Float32Array) =>
    untimed(async () => {
      if (points.at(-1)?.step === step) return
      const ab = given instanceof Float32Array ? tf.tensor1d(given) : given
      const retained = await normsOf(ab, 'retained', step)
      const forget = await normsOf(ab, 'forget', step)
      if (ab !== given) ab.dispose()
      points = [...points, { step, retained, forget }]
    })

  return {
    measure,
    norms: () => ({ layers: aligned, points }),
    async afterStep(step, parameters) {
      if (step % every === 0) await measure(step, parameters)
      return false
    },
    take: () => Promise.resolve({ vectors: {}, notes: { norms: points } }),
    restore({ notes }) {
      points = notes.norms as readonly NormPoint[]
    },
    dispose: () => {
      graphs.dispose()
    },
  }
}
