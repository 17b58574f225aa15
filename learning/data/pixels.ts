import { read, readSync } from 'node:fs'
import type { Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../tensorflow/tf.ts'

/**
 * The bytes of a data set's images, one row per image. On the device an int32 holds four bytes, so
 * rows have the shape [n, ⌈width / 4⌉].
 */
export interface Pixels {
  rows(indices: Int32Array): Tensor2D
  /**
   * Announces the rows that are requested next. An implementation may start to read them. Never
   * blocks.
   */
  prefetch(indices: Int32Array): void
  dispose(): void
}

/** Pixels that are all in the device's memory. */
export class DevicePixels implements Pixels {
  private readonly packed: Tensor2D

  /** images: bytes [n, width]. */
  constructor(images: Uint8Array, n: number, width: number) {
    const aligned = width % 4 === 0 && images.byteOffset % 4 === 0
    const { buffer, byteOffset } = aligned ? images : padded(images, n, width)
    const words = wordsOf(width)
    this.packed = tf.tensor2d(new Int32Array(buffer, byteOffset, n * words), [n, words], 'int32')
  }

  rows(indices: Int32Array): Tensor2D {
    return tf.tidy(() => tf.gather(this.packed, tf.tensor1d(indices, 'int32')))
  }

  prefetch(): void {
    // All rows are in memory already.
  }

  dispose(): void {
    this.packed.dispose()
  }
}

/** A file of rows without gaps between them. */
export interface RowFile {
  readonly descriptor: number
  readonly rows: number
}

/** A batch that is read while the device computes the one before. */
interface Prefetch {
  readonly indices: Int32Array
  readonly bytes: Uint8Array
  /** Whether all rows were read. */
  isWhole: boolean
}

/**
 * The number of batches that are prefetched. Some methods take a batch of two sets in each step.
 */
const MOST_PREFETCHED = 2

/**
 * Pixels in files, of which only batches are in memory. Rows that were prefetched in time are
 * returned without waiting for the disk. Other rows are read when they are requested.
 */
export class FilePixels implements Pixels {
  private readonly files: readonly RowFile[]
  private readonly width: number
  private readonly close: () => void
  /** The latest prefetched batches, oldest first. */
  private readonly next: Prefetch[] = []
  /** The number of batches that are being read. */
  private reading = 0
  private disposed = false

  /**
   * All files but the last have as many rows as the first. `close` is called after the last read.
   */
  constructor(files: readonly RowFile[], width: number, close: () => void) {
    this.files = files
    this.width = width
    this.close = close
  }

  rows(indices: Int32Array): Tensor2D {
    const at = this.next.findIndex((prefetched) => prefetched.isWhole && isSame(prefetched.indices, indices))
    const [prefetched] = at < 0 ? [] : this.next.splice(at, 1)
    const bytes = prefetched?.bytes ?? this.read(indices)
    const words = wordsOf(this.width)
    const values = new Int32Array(bytes.buffer, bytes.byteOffset, indices.length * words)
    return tf.tensor2d(values, [indices.length, words], 'int32')
  }

  prefetch(indices: Int32Array): void {
    // A device that is faster than the disk would otherwise fill the memory with batches.
    if (indices.length === 0 || this.reading === MOST_PREFETCHED) return
    const places = Array.from(indices, (row) => this.place(row))
    const prefetched = { indices: indices.slice(), bytes: this.room(indices), isWhole: false }
    this.next.push(prefetched)
    if (this.next.length > MOST_PREFETCHED) this.next.shift()
    this.reading++
    let [open, missing] = [places.length, places.length]
    places.forEach(({ descriptor, position }, i) => {
      read(descriptor, prefetched.bytes, this.offset(i), this.width, position, (error, length) => {
        if (!error && length === this.width) missing--
        if (--open > 0) return
        // A row that could not be read is read again when it is requested, which then throws the
        // error.
        prefetched.isWhole = missing === 0
        this.reading--
        if (this.disposed && this.reading === 0) this.close()
      })
    })
  }

  dispose(): void {
    this.disposed = true
    // After an early close, the descriptor could belong to another file during a pending read.
    if (this.reading === 0) this.close()
  }

  private read(indices: Int32Array): Uint8Array {
    const bytes = this.room(indices)
    indices.forEach((row, i) => {
      const { descriptor, position } = this.place(row)
      const length = readSync(descriptor, bytes, this.offset(i), this.width, position)
      if (length !== this.width)
        throw new Error(
          `a file of pixels ends within row ${row}: ${length} of its ${this.width} bytes are there`,
        )
    })
    return bytes
  }

  private room({ length }: Int32Array): Uint8Array {
    return new Uint8Array(length * 4 * wordsOf(this.width))
  }

  private offset(i: number): number {
    return i * 4 * wordsOf(this.width)
  }

  private place(row: number): { readonly descriptor: number; readonly position: number } {
    const perFile = this.files[0]?.rows ?? 1
    const file = this.files[Math.floor(row / perFile)]
    const own = row % perFile
    if (!file || own >= file.rows) throw new RangeError(`there is no row ${row}`)
    return { descriptor: file.descriptor, position: own * this.width }
  }
}

function isSame(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

function wordsOf(width: number): number {
  return Math.ceil(width / 4)
}

/** Pads rows to a multiple of four bytes. */
function padded(images: Uint8Array, rows: number, width: number): Uint8Array {
  const to = 4 * wordsOf(width)
  const bytes = new Uint8Array(rows * to)
  for (let i = 0; i < rows; i++) bytes.set(images.subarray(i * width, (i + 1) * width), i * to)
  return bytes
}
