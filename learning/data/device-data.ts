import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs'
import type { Shape } from '../../experiment/models/layers.ts'
import { unpackBytes } from '../model/kernels.ts'
import { DevicePixels, type Pixels } from './pixels.ts'
import type { Preparer } from './prepare.ts'
import type { RandomStream } from '../random.ts'
import { tf } from '../tensorflow/tf.ts'

/** Random changes of a batch of images. */
export interface Augmentation {
  /** The padding in pixels before a random crop. */
  readonly crop: number
  /** Zeros unless given. */
  readonly padding?: 'zero' | 'reflect' | undefined
  /** Whether to mirror each image with probability ½, or which images to mirror. */
  readonly flip: boolean | readonly boolean[]
  /**
   * The batch that the images are rows of. Numbers are drawn for all `size` rows of it, so that the
   * images change as they do in the whole batch. `flip` has values for all rows, too. The images
   * are the whole batch unless given.
   */
  readonly within?: { readonly size: number; readonly rows: Int32Array } | undefined
  readonly random: RandomStream
}

/**
 * A data set for the device. Images are stored with one byte per pixel and normalised when a batch
 * is gathered. Image i is row i of the pixels.
 */
export class DeviceData {
  private readonly source: Pixels
  private readonly mean: Tensor1D
  private readonly deviation: Tensor1D
  /** The shape of the stored images. */
  private readonly kept: Shape
  private readonly preparer: Preparer | undefined
  /** The shape of the images that models see. */
  readonly shape: Shape
  readonly labels: Int32Array
  readonly classes: number

  /**
   * images: bytes [n, h, w, c], or the source that reads them, which is disposed of with the data.
   * mean and deviation: per channel that models see, in pixel units.
   */
  constructor(
    images: Uint8Array | Pixels,
    labels: Int32Array,
    options: {
      shape: Shape
      classes: number
      mean: readonly number[]
      deviation: readonly number[]
      /** Resizes and crops the images. Disposed of with the data. */
      preparer?: Preparer | undefined
    },
  ) {
    this.kept = options.shape
    this.preparer = options.preparer
    this.shape = options.preparer?.shape ?? options.shape
    this.labels = labels
    this.classes = options.classes
    this.source = images instanceof Uint8Array ? new DevicePixels(images, labels.length, this.pixels) : images
    this.mean = tf.tensor1d([...options.mean])
    this.deviation = tf.tensor1d([...options.deviation])
  }

  private get pixels(): number {
    return this.kept[0] * this.kept[1] * this.kept[2]
  }

  /**
   * Normalised images [n, h, w, c] of the samples at these indices. Augmentation comes before the
   * preparation.
   */
  images(indices: Int32Array, augment?: Augmentation): Tensor4D {
    return tf.tidy(() => {
      const [height, width, channels] = this.kept
      const bytes = unpackBytes(this.source.rows(indices))
      const exact = bytes.shape[1] === this.pixels ? bytes : bytes.slice([0, 0], [-1, this.pixels])
      const pixels = exact.reshape<Tensor4D>([indices.length, height, width, channels])
      const augmented =
        augment && (augment.crop > 0 || augment.flip !== false) ? cropAndFlip(pixels, augment) : pixels
      const prepared = this.preparer ? this.preparer.prepare(augmented) : augmented
      return prepared.sub(this.mean).div<Tensor4D>(this.deviation)
    })
  }

  /**
   * Announces the samples of the next batch, so that they may be read while the device computes.
   */
  prefetch(indices: Int32Array): void {
    this.source.prefetch(indices)
  }

  /**
   * Adds `change` [n, h, w, c], in pixel units, to normalised images. Pixels are clipped to 0..255.
   */
  shifted(images: Tensor4D, change: Tensor4D): Tensor4D {
    return tf.tidy(() =>
      images
        .mul(this.deviation)
        .add(this.mean)
        .add(change)
        .clipByValue(0, 255)
        .sub(this.mean)
        .div<Tensor4D>(this.deviation),
    )
  }

  /** The difference a − b of normalised images, in pixel units. */
  difference(a: Tensor4D, b: Tensor4D): Tensor4D {
    return tf.tidy(() => a.sub(b).mul<Tensor4D>(this.deviation))
  }

  labelsOf(indices: Int32Array): Tensor1D {
    return tf.tensor1d(labelsAt(this.labels, indices), 'int32')
  }

  dispose(): void {
    tf.dispose([this.mean, this.deviation])
    this.source.dispose()
    this.preparer?.dispose()
  }
}

export function labelsAt(labels: Int32Array, indices: Int32Array): Int32Array {
  return indices.map((i) => labels[i] ?? -1)
}

/**
 * Random crops of padded images, mirrored with probability ½ or as `flip` says. One
 * crop-and-resize operation has a box per image on the pixel grid ("nearest" copies pixels
 * unchanged). A box from right to left mirrors.
 */
function cropAndFlip(
  images: Tensor4D,
  { crop, padding = 'zero', flip, within, random }: Augmentation,
): Tensor4D {
  const [n, height, width] = images.shape
  const sides: [number, number][] = [
    [0, 0],
    [crop, crop],
    [crop, crop],
    [0, 0],
  ]
  const padded = padding === 'zero' ? tf.pad(images, sides) : tf.mirrorPad(images, sides, padding)
  const bottom = height + 2 * crop - 1
  const right = width + 2 * crop - 1
  const drawn = new Float32Array(4 * (within?.size ?? n))
  for (let i = 0; 4 * i < drawn.length; i++) {
    const y = random.integer(2 * crop + 1)
    const x = random.integer(2 * crop + 1)
    const isFlipped = typeof flip === 'boolean' ? flip && random.uniform() < 0.5 : flip[i] === true
    const [from, to] = isFlipped ? [x + width - 1, x] : [x, x + width - 1]
    drawn.set([y / bottom, from / right, (y + height - 1) / bottom, to / right], 4 * i)
  }
  const boxes = within
    ? Float32Array.from({ length: 4 * n }, (_, i) => drawn[4 * (within.rows[i >> 2] ?? 0) + (i & 3)] ?? 0)
    : drawn
  const which = tf.range(0, n, 1, 'int32')
  return tf.image.cropAndResize(padded, tf.tensor2d(boxes, [n, 4]), which, [height, width], 'nearest')
}
