import type { Scalar, Tensor2D } from '@tensorflow/tfjs'
import type { Measured } from '../../experiment/records/measured.ts'
import { tf } from '../../learning/tensorflow/tf.ts'
import { unit } from './linear-cka.ts'
import { areFinite } from './moments.ts'

/** The features of a layer [n, d], prepared for CKA with many others. */
export type Prepared = { readonly features: Tensor2D; readonly norm: Scalar } | { readonly missing: string }

/**
 * Centres and scales features and computes ‖Xᵀ X‖_F, on which every CKA of them depends. The caller
 * disposes of the tensors.
 */
export async function prepared(x: Tensor2D): Promise<Prepared> {
  if (!(await areFinite(x))) return { missing: 'the features are not finite' }
  const [features, norm, energy] = tf.tidy(() => {
    const { value, energy } = unit(x)
    return [value, tf.matMul(value, value, true).square().sum().sqrt().asScalar(), energy] as const
  })
  const [greatest = 0] = await energy.data()
  energy.dispose()
  if (greatest > 0) return { features, norm }
  tf.dispose([features, norm])
  return { missing: 'the features are constant' }
}

/**
 * Linear CKA of one layer's features with those of several layers of gold, for the same samples
 * (see linear-cka.ts).
 */
export async function ckaRow(own: Prepared, golds: readonly Prepared[]): Promise<readonly Measured[]> {
  if ('missing' in own) return golds.map(() => own)
  const known = golds.flatMap((gold) => ('missing' in gold ? [] : [gold]))
  const values = known.length > 0 ? await similarities(own, known) : []
  let next = 0
  return golds.map((gold) =>
    'missing' in gold ? { missing: `gold: ${gold.missing}` } : { value: values[next++] ?? NaN },
  )
}

type Known = Extract<Prepared, { readonly features: Tensor2D }>

async function similarities(own: Known, golds: readonly Known[]): Promise<readonly number[]> {
  const row = tf.tidy(() =>
    tf.stack(
      golds.map(({ features, norm }) =>
        tf.matMul(features, own.features, true).square().sum().div(norm.mul(own.norm)),
      ),
    ),
  )
  const values = Array.from(await row.data())
  row.dispose()
  // Rounding may exceed the bound.
  return values.map((value) => Math.min(1, value))
}
