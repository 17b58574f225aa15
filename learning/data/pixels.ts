import { read, readSync } from 'node:fs'
import type { Tensor2D } from '@tensorflow/tfjs'
import { tf } from '../tensorflow/tf.ts'

/** Bytes of a data set's images, a row each. On the device there are four bytes in an int32: rows are [n, ⌈width / 4⌉]. */
export interface Pixels {
  rows(indices: Int32Array): Tensor2D
  /** These rows are asked for next: what takes time may begin. */
  prefetch(indices: Int32Array): void
  dispose(): void
}

/** All rows on the device. */
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
    // Nothing takes time.
  }

  dispose(): void {
    this.packed.dispose()
  }
}

/** A file of rows, one behind the other. */
export interface RowFile {
  readonly descriptor: number
  readonly rows: number
}

/** A batch that is read while the device computes the one before. */
interface Ahead {
  readonly indices: Int32Array
  readonly bytes: Uint8Array
  /** Whether all of its rows have arrived. */
  isWhole: boolean
}

/** Some methods take a batch of two sets a step. */
const AT_A_TIME = 2

/**
 * Rows in files, of which only batches are in memory. Who says ahead what it asks for next does not wait for the disk;
 * who does not, or asks before it has arrived, reads it then.
 */
export class FilePixels implements Pixels {
  private readonly files: readonly RowFile[]
  private readonly width: number
  private readonly close: () => void
  /** The latest that were said, oldest first. */
  private readonly next: Ahead[] = []
  /** Batches. */
  private reading = 0
  private disposed = false

  /** All files but the last have as many rows as the first. `close` is called when nothing is read any more. */
  constructor(files: readonly RowFile[], width: number, close: () => void) {
    this.files = files
    this.width = width
    this.close = close
  }

  rows(indices: Int32Array): Tensor2D {
    const at = this.next.findIndex((ahead) => ahead.isWhole && isSame(ahead.indices, indices))
    const [ahead] = at < 0 ? [] : this.next.splice(at, 1)
    const bytes = ahead?.bytes ?? this.read(indices)
    const words = wordsOf(this.width)
    const values = new Int32Array(bytes.buffer, bytes.byteOffset, indices.length * words)
    return tf.tensor2d(values, [indices.length, words], 'int32')
  }

  prefetch(indices: Int32Array): void {
    // Who asks faster than the disk answers would fill the memory with batches.
    if (indices.length === 0 || this.reading === AT_A_TIME) return
    const places = Array.from(indices, (row) => this.place(row))
    const ahead = { indices: indices.slice(), bytes: this.room(indices), isWhole: false }
    this.next.push(ahead)
    if (this.next.length > AT_A_TIME) this.next.shift()
    this.reading++
    let [open, missing] = [places.length, places.length]
    places.forEach(({ descriptor, position }, i) => {
      read(descriptor, ahead.bytes, this.offset(i), this.width, position, (error, length) => {
        if (!error && length === this.width) missing--
        if (--open > 0) return
        // A row that did not arrive is read again when it is asked for, and the reason is seen then.
        ahead.isWhole = missing === 0
        this.reading--
        if (this.disposed && this.reading === 0) this.close()
      })
    })
  }

  dispose(): void {
    this.disposed = true
    // A descriptor that is closed under a read may be another file's by then.
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

/** Row widths up to a multiple of four bytes. */
function padded(images: Uint8Array, rows: number, width: number): Uint8Array {
  const to = 4 * wordsOf(width)
  const bytes = new Uint8Array(rows * to)
  for (let i = 0; i < rows; i++) bytes.set(images.subarray(i * width, (i + 1) * width), i * to)
  return bytes
}
