import type { Rank, Tensor, Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import { float, native, type Attribute } from '../tensorflow/native.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * Operations that tfjs composes from many small ones and TensorFlow has as one. Each uses
 * TensorFlow's kernel on its backend and the composition elsewhere. `composed` exports the
 * compositions, so that tests can compare both.
 */

/** TensorFlow's number for DT_UINT8, for which tfjs-node has no name. */
const uint8 = 4

export interface BatchNormalised {
  readonly y: Tensor4D
  /** Mean and unbiased variance of the batch, [c]. They are kept; the caller disposes of them. */
  readonly mean: Tensor1D
  readonly variance: Tensor1D
}

/**
 * Batch normalisation by the statistics of the batch (Ioffe & Szegedy 2015). x [n, h, w, c], gamma
 * and beta [c].
 */
export function batchNormTraining(
  x: Tensor4D,
  gamma: Tensor1D,
  beta: Tensor1D,
  epsilon: number,
): BatchNormalised {
  const backend = native()
  if (!backend) return composed.batchNormTraining(x, gamma, beta, epsilon)

  const { binding } = backend
  const attributes = [
    float(backend, 'T'),
    float(backend, 'U'),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ]
  let statistics: [Tensor1D, Tensor1D] | undefined
  const normalise = tf.customGrad((...args: unknown[]) => {
    const [input, scale, shift] = args as [Tensor4D, Tensor1D, Tensor1D]
    const save = args[3] as (tensors: Tensor[]) => void
    const none = tf.tensor1d([])
    const average = { name: 'exponential_avg_factor', type: binding.TF_ATTR_FLOAT, value: 1 }
    const outputs = backend.executeMultipleOutputs(
      'FusedBatchNormV3',
      [...attributes, average],
      [input, scale, shift, none, none],
      6,
    )
    const [value, mean, variance, reserve1, reserve2, reserve3] = outputs as [
      Tensor4D,
      Tensor1D,
      Tensor1D,
      Tensor,
      Tensor,
      Tensor,
    ]
    statistics = [tf.keep(mean), tf.keep(variance)]
    save([input, scale, reserve1, reserve2, reserve3])
    const gradFunc = (dy: Tensor, saved: Tensor[]) =>
      backend.executeMultipleOutputs('FusedBatchNormGradV3', attributes, [dy, ...saved], 5).slice(0, 3)
    return { value, gradFunc }
  })
  const y = normalise(x, gamma, beta)
  if (!statistics) throw new Error('batch normalisation gave no statistics')
  return { y, mean: statistics[0], variance: statistics[1] }
}

/** max(x, 0). */
export function relu<T extends Tensor>(x: T): T {
  const backend = native()
  if (!backend) return tf.relu(x)
  const rectify = tf.customGrad((...args: unknown[]) => {
    const [input] = args as [Tensor]
    const save = args[1] as (tensors: Tensor[]) => void
    const [value] = backend.executeMultipleOutputs('Relu', [float(backend, 'T')], [input], 1) as [Tensor]
    save([value])
    const gradFunc = (dy: Tensor, saved: Tensor[]) =>
      backend.executeMultipleOutputs('ReluGrad', [float(backend, 'T')], [dy, ...saved], 1)
    return { value, gradFunc }
  })
  return rectify(x) as T
}

/**
 * Unpacks bytes from 32-bit integers, lowest byte first: int32 [n, m] to float32 [n, 4m] with
 * values 0..255. tfjs has no byte tensors. With four bytes in an integer, images take one byte per
 * pixel on the device.
 */
export function unpackBytes(packed: Tensor): Tensor {
  const backend = native()
  if (!backend) return composed.unpackBytes(packed)
  const { binding } = backend
  const type = (name: string, value: number): Attribute => ({ name, type: binding.TF_ATTR_TYPE, value })
  const [n = 0, m = 0] = packed.shape
  const [bytes] = backend.executeMultipleOutputs(
    'Bitcast',
    [type('T', binding.TF_INT32), type('type', uint8)],
    [packed],
    1,
  ) as [Tensor]
  const truncate = { name: 'Truncate', type: binding.TF_ATTR_BOOL, value: false }
  const [floats] = backend.executeMultipleOutputs(
    'Cast',
    [type('SrcT', uint8), type('DstT', binding.TF_FLOAT), truncate],
    [bytes],
    1,
  ) as [Tensor]
  bytes.dispose()
  return floats.reshape([n, 4 * m])
}

/**
 * Rows of x [n, ...] at int32 positions [m]. tf.gather reads the positions back to check them. This
 * function does not, so an operation of the same step may compute them. TensorFlow checks them
 * itself. Not differentiable.
 */
export function rowsAt<T extends Tensor>(x: T, positions: Tensor1D): T {
  const backend = native()
  if (!backend) return tf.gather(x, positions)
  const { TF_ATTR_INT, TF_ATTR_TYPE, TF_INT32, TF_FLOAT } = backend.binding
  const type = (name: string, value: number): Attribute => ({ name, type: TF_ATTR_TYPE, value })
  const attributes = [
    { name: 'batch_dims', type: TF_ATTR_INT, value: 0 },
    type('Tparams', x.dtype === 'int32' ? TF_INT32 : TF_FLOAT),
    type('Tindices', TF_INT32),
    type('Taxis', TF_INT32),
  ]
  return tf.tidy(() => {
    const axis = tf.scalar(0, 'int32')
    const [rows] = backend.executeMultipleOutputs('GatherV2', attributes, [x, positions, axis], 1)
    return rows as T
  })
}

export const composed = {
  batchNormTraining(x: Tensor4D, gamma: Tensor1D, beta: Tensor1D, epsilon: number): BatchNormalised {
    const count = x.size / x.shape[3]
    const { mean, variance } = tf.moments(x, [0, 1, 2]) as { mean: Tensor1D; variance: Tensor1D }
    const y = tf.batchNorm<Rank.R4>(x, mean, variance, beta, gamma, epsilon)
    return { y, mean: tf.keep(mean), variance: tf.keep(variance.mul(count / Math.max(count - 1, 1))) }
  },
  unpackBytes(packed: Tensor): Tensor {
    const [n = 0, m = 0] = packed.shape
    return tf.tidy(() => {
      const bytes = [1, 2 ** 8, 2 ** 16, 2 ** 24].map((unit) =>
        packed.floorDiv(tf.scalar(unit, 'int32')).mod(tf.scalar(256, 'int32')),
      )
      return tf
        .stack(bytes, 2)
        .reshape([n, 4 * m])
        .toFloat()
    })
  },
}
