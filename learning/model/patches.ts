import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { AdaptableLayer } from '../../experiment/models/layers.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * The rows that a layer multiplies with its weight matrix: [n, in], or the patches of a convolution
 * [n·h·w, k·k·in].
 */
export function patches(layer: AdaptableLayer, input: Tensor): Tensor2D {
  if (layer.kind === 'linear') return input.rank === 2 ? (input as Tensor2D) : input.reshape([-1, layer.in])
  const { kernel, stride, padding } = layer
  const [n, height, width, channels] = (input as Tensor4D).shape
  const outputs = (inputs: number) =>
    padding === undefined
      ? Math.ceil(inputs / stride)
      : Math.floor((inputs + 2 * padding - kernel) / stride) + 1
  const [rows, columns] = [outputs(height), outputs(width)]
  // 'same' padding has the smaller half first.
  const before = (outputs: number, inputs: number) =>
    padding ?? Math.max(0, (outputs - 1) * stride + kernel - inputs) >> 1
  const [top, left] = [before(rows, height), before(columns, width)]
  const reach = (outputs: number) => (outputs - 1) * stride + kernel
  const padded = tf.pad(input as Tensor4D, [
    [0, 0],
    [top, Math.max(0, reach(rows) - height - top)],
    [left, Math.max(0, reach(columns) - width - left)],
    [0, 0],
  ])
  const shifted = Array.from({ length: kernel * kernel }, (_, i) => {
    const [dy, dx] = [Math.floor(i / kernel), i % kernel]
    return tf.stridedSlice(
      padded,
      [0, dy, dx, 0],
      [n, dy + (rows - 1) * stride + 1, dx + (columns - 1) * stride + 1, channels],
      [1, stride, stride, 1],
    )
  })
  return tf.concat(shifted, 3).reshape([-1, kernel * kernel * channels])
}
