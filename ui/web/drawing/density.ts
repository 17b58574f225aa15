/**
 * How often lines and discs cover each pixel of a drawing. A canvas takes much longer for thousands
 * of translucent lines, since it blends each of them with what is there.
 */
export class Density {
  readonly width: number
  readonly height: number
  /** [width, height], column by column. A pixel that is half covered counts half. */
  readonly counts: Float32Array

  constructor(width: number, height: number) {
    this.width = Math.max(1, Math.ceil(width))
    this.height = Math.max(1, Math.ceil(height))
    this.counts = new Float32Array(this.width * this.height)
  }

  /** Adds some equal lines from the left to the right, one pixel thick. */
  line(x0: number, y0: number, x1: number, y1: number, weight = 1): void {
    const { width, height, counts } = this
    const first = Math.max(0, Math.round(x0))
    const last = Math.min(width, Math.round(x1))
    const slope = (y1 - y0) / (x1 - x0)
    const isFlat = Math.abs(slope) <= 1
    const isInside = Math.min(y0, y1) >= 1 && Math.max(y0, y1) <= height - 2
    const half = Math.max(1, Math.abs(slope)) / 2
    let top = y0 + slope * (first + 0.5 - x0) - half
    if (isFlat && isInside) {
      // The line covers two rows of each column, which have one row's worth of it together.
      for (let at = first * height; at < last * height; at += height) {
        const row = Math.floor(top)
        const below = weight * (top - row)
        counts[at + row] = (counts[at + row] ?? 0) + weight - below
        counts[at + row + 1] = (counts[at + row + 1] ?? 0) + below
        top += slope
      }
      return
    }
    for (let x = first; x < last; x++) {
      const bottom = top + 2 * half
      const end = Math.min(height - 1, Math.ceil(bottom) - 1)
      for (let y = Math.max(0, Math.floor(top)); y <= end; y++) {
        const at = x * height + y
        counts[at] = (counts[at] ?? 0) + weight * (Math.min(y + 1, bottom) - Math.max(y, top))
      }
      top += slope
    }
  }

  /** Adds a disc. */
  disc(x: number, y: number, radius: number): void {
    const { width, height, counts } = this
    const bottom = Math.min(height - 1, Math.ceil(y + radius))
    const right = Math.min(width - 1, Math.ceil(x + radius))
    for (let row = Math.max(0, Math.floor(y - radius)); row <= bottom; row++)
      for (let column = Math.max(0, Math.floor(x - radius)); column <= right; column++) {
        const distance = Math.hypot(column + 0.5 - x, row + 0.5 - y)
        const covered = Math.min(1, Math.max(0, radius + 0.5 - distance))
        const at = column * height + row
        counts[at] = (counts[at] ?? 0) + covered
      }
  }

  /** Removes all lines and discs. */
  clear(): void {
    this.counts.fill(0)
  }

  /**
   * Writes the pixels in RGBA, [height, width, 4]. The opacity is that of one line: n of them above
   * each other have 1 − (1 − opacity)ⁿ.
   */
  paint(
    pixels: Uint8ClampedArray,
    [red, green, blue]: readonly [number, number, number],
    opacity: number,
  ): void {
    const { counts, width, height } = this
    const shades = new Uint8ClampedArray(4 * (STEPS * MOST + 1))
    for (let i = 1; i <= STEPS * MOST; i++)
      shades.set([red, green, blue, 255 * (1 - (1 - opacity) ** (i / STEPS))], 4 * i)
    // Whole pixels are written, in the order of bytes that this machine has.
    const colours = new Uint32Array(shades.buffer)
    const whole = new Uint32Array(pixels.buffer, pixels.byteOffset, width * height)
    for (let x = 0; x < width; x++)
      for (let y = 0; y < height; y++) {
        const count = counts[x * height + y] ?? 0
        whole[y * width + x] = count === 0 ? 0 : (colours[Math.round(STEPS * Math.min(MOST, count))] ?? 0)
      }
  }
}

/** Counts are rounded to a part of one, and larger ones than the last have its opacity. */
const STEPS = 16
const MOST = 512
