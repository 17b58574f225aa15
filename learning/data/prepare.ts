import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs'
import type { Preparation } from '../../experiment/models/pretrained.ts'
import type { Shape } from '../../experiment/models/layers.ts'
import { preparedShape, resizedTo } from '../../experiment/models/preparation.ts'
import { tf } from '../tensorflow/tf.ts'

/**
 * Prepares images on the device as a transformers image processor does: resizes them with Pillow's
 * filters and crops the centre. Resizing is linear along rows and along columns, so each is one
 * product with a matrix. Results are rounded to whole pixel values as in Pillow.
 */
export class Preparer {
  /** The shape of prepared images. */
  readonly shape: Shape
  private readonly rows: Tensor2D | undefined
  private readonly columns: Tensor2D | undefined
  private readonly white: number

  /**
   * from: the shape of the stored images; channels: those of the model; white: the greatest pixel
   * value.
   */
  constructor(
    from: Shape,
    preparation: Preparation,
    { channels, white }: { readonly channels: number; readonly white: number },
  ) {
    this.white = white
    this.shape = preparedShape(from, preparation, channels)
    const [height, width] = resizedTo(from, preparation)
    const axis = (size: number, resized: number, kept: number) => {
      if (size === resized && resized === kept) return undefined
      const first = Math.floor((resized - kept) / 2)
      const weights = resizeWeights(size, resized, preparation.filter)
      return tf.tensor2d(weights.subarray(first * size, (first + kept) * size), [kept, size])
    }
    this.rows = axis(from[0], height, this.shape[0])
    this.columns = axis(from[1], width, this.shape[1])
  }

  /** Resizes and crops images [n, h, w, c] in pixel units. */
  prepare(images: Tensor4D): Tensor4D {
    return tf.tidy(() => {
      const { rows, columns } = this
      const wide = columns
        ? this.along(columns, images.transpose([0, 1, 3, 2])).transpose([0, 1, 3, 2])
        : images
      const high = rows ? this.along(rows, wide.transpose([0, 2, 3, 1])).transpose([0, 3, 1, 2]) : wide
      const channels = this.shape[2]
      return (images.shape[3] === channels ? high : tf.tile(high, [1, 1, 1, channels])) as Tensor4D
    })
  }

  /** Resizes the last axis of x and rounds to pixel values. */
  private along(weights: Tensor2D, x: Tensor): Tensor {
    const [to, from] = weights.shape
    const y = tf.matMul(x.reshape([-1, from]), weights, false, true)
    return this.whole(y.reshape([...x.shape.slice(0, -1), to]))
  }

  private whole(x: Tensor): Tensor {
    return x.add(0.5).floor().clipByValue(0, this.white)
  }

  dispose(): void {
    tf.dispose([this.rows, this.columns].filter((one) => one !== undefined))
  }
}

const kernels: Readonly<Record<'bilinear' | 'bicubic', { support: number; at: (x: number) => number }>> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  // The cubic of Keys (1981) with a = −½, as in Pillow.
  bicubic: {
    support: 2,
    at(x) {
      const a = -0.5
      const t = Math.abs(x)
      if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1
      return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0
    },
  },
}

/**
 * The weights of `from` source pixels in `to` resized pixels, [to, from], row-major. When an image
 * shrinks, the filter is as wide as a resized pixel.
 */
function resizeWeights(from: number, to: number, filter: Preparation['filter']): Float32Array {
  const weights = new Float32Array(to * from)
  const scale = from / to
  for (let i = 0; i < to; i++) {
    const row = weights.subarray(i * from, (i + 1) * from)
    const centre = (i + 0.5) * scale
    if (filter === 'nearest') {
      row[Math.min(from - 1, Math.floor(centre))] = 1
      continue
    }
    const { support, at } = kernels[filter]
    const width = Math.max(scale, 1)
    const first = Math.max(0, Math.trunc(centre - support * width + 0.5))
    const last = Math.min(from, Math.trunc(centre + support * width + 0.5))
    const raw = Array.from({ length: last - first }, (_, j) => at((first + j - centre + 0.5) / width))
    const sum = raw.reduce((total, weight) => total + weight, 0)
    raw.forEach((weight, j) => (row[first + j] = weight / sum))
  }
  return weights
}
