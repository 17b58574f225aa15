import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs'
import { Matrix } from 'ml-matrix'
import { MathError } from '../../common/errors.ts'
import type { Measured } from '../../experiment/records/measured.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { choleskySolve } from '../linear-algebra/solve.ts'
import { areFinite, moments } from './moments.ts'

/** ε per sample. */
const RIDGE = 1e-3

/** Features [n, d] and the classes [n] to predict from them. */
export interface Labelled {
  readonly features: Tensor2D
  readonly labels: Int32Array
}

/**
 * The percentage of test samples whose class a linear classifier of features predicts correctly
 * (Alain and Bengio 2016). It is one-versus-rest ridge regression in closed form, like
 * scikit-learn's `RidgeClassifier(alpha=ε n, class_weight='balanced')` after a `StandardScaler`
 * with the same sample weights:
 *
 *     argmin_B Σ_i ω_i ‖z_i B − (e_{y_i} − 1/K)‖² + ε n ‖B‖²,
 *     ω_i = n / (K · samples of class y_i),   ε = 10⁻³
 *
 * z are the features with weighted mean 0 and variance 1, and K is the number of classes of the
 * training samples. The greatest entry of z B is the predicted class. Throws a MathError if the
 * second moment of the features is not positive definite.
 */
export async function probeAccuracy(train: Labelled, test: Labelled): Promise<Measured> {
  const classes = [...new Set(train.labels)].sort((a, b) => a - b)
  if (test.labels.length === 0) return { missing: 'no forget samples are left to test the probe on' }
  if (classes.length < 2) return { missing: 'a probe needs samples of two classes' }
  if (!(await areFinite(train.features)) || !(await areFinite(test.features)))
    return { missing: 'the features are not finite' }

  const counts = new Map(classes.map((c) => [c, train.labels.filter((label) => label === c).length]))
  const balanced = Float32Array.from(
    train.labels,
    (label) => train.labels.length / (classes.length * (counts.get(label) ?? 1)),
  )
  tf.engine().startScope()
  try {
    const weights = tf.tensor1d(balanced)
    const { mean, deviation } = moments(train.features, weights)
    const standardised = (x: Tensor2D) => tf.divNoNan<Tensor2D>(x.sub(mean), deviation)
    const [moment, cross] = tf.tidy<[Tensor2D, Tensor2D]>(() => {
      const z = standardised(train.features)
      const weighted = z.mul<Tensor2D>(weights.expandDims(1))
      const columns = Int32Array.from(train.labels, (label) => classes.indexOf(label))
      const targets = tf
        .oneHot(tf.tensor1d(columns, 'int32'), classes.length)
        .toFloat()
        .sub<Tensor2D>(1 / classes.length)
      return [tf.matMul(z, weighted, true), tf.matMul(weighted, targets, true)]
    })
    const solution = await solve(await moment.data(), await cross.data(), train.labels.length)
    if (!solution) return { missing: 'the features are constant' }
    const predicted = tf.tidy(() =>
      tf
        .matMul(standardised(test.features), tf.tensor2d(solution, [moment.shape[0], classes.length]))
        .argMax<Tensor1D>(1),
    )
    const right = (await predicted.data()).filter((column, i) => classes[column] === test.labels[i])
    return { value: (100 * right.length) / test.labels.length }
  } finally {
    tf.engine().endScope()
  }
}

/** Solves (moment + ε n I)⁻¹ cross, row-major; undefined if all features are constant. */
async function solve(
  moment: ArrayLike<number>,
  cross: ArrayLike<number>,
  samples: number,
): Promise<Float32Array | undefined> {
  const d = Math.sqrt(moment.length)
  const computed = Matrix.from1DArray(d, d, Array.from(moment))
  // Removes the asymmetry of rounding.
  const energy = computed.transpose().add(computed).mul(0.5)
  if (energy.trace() === 0) return undefined
  const regular = energy.add(Matrix.eye(d).mul(RIDGE * samples))
  const solution = await choleskySolve(d, Float64Array.from(regular.to1DArray()), Float64Array.from(cross))
  if (!solution)
    throw new MathError(
      `a probe of ${d} features of ${samples} samples has no solution: their second moment is not positive definite`,
    )
  return Float32Array.from(solution)
}
