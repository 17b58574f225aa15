import type { Dataset } from '../../datasets/index.ts'
import { whiteOf } from '../../experiment/spec/white.ts'

const PER_CLASS = 10
/** Smaller images are enlarged by a whole factor to at least this many pixels. */
const LEAST_PIXELS = 32
const GAP = 2

/**
 * Returns a PNG with a row for each class, in the order of the classes, with the first samples of
 * the class.
 */
export async function contactSheet({ facts, labels, images }: Dataset): Promise<Uint8Array> {
  const [height, width, channels] = facts.shape
  const rows = facts.classes.map((_, label) => {
    const found: number[] = []
    for (let i = 0; i < labels.length && found.length < PER_CLASS; i++) if (labels[i] === label) found.push(i)
    return found
  })
  const factor = Math.max(1, Math.ceil(LEAST_PIXELS / Math.min(height, width)))
  const cell = { height: height * factor + GAP, width: width * factor + GAP }
  const columns = Math.max(...rows.map(({ length }) => length))
  const { default: sharp } = await import('sharp')
  const raw = { height, width, channels: channels === 1 ? 1 : 3 } as const
  const scale = 255 / whiteOf(facts)
  const pictures = await Promise.all(
    rows.flatMap((samples, row) =>
      samples.map(async (i, column) => ({
        input: await sharp(scaled(await images(i, i + 1), scale), { raw })
          .resize(width * factor, height * factor, { kernel: 'nearest' })
          .png()
          .toBuffer(),
        top: row * cell.height,
        left: column * cell.width,
      })),
    ),
  )
  const background = { r: 128, g: 128, b: 128 }
  const [w, h] = [columns * cell.width - GAP, rows.length * cell.height - GAP]
  return sharp({ create: { width: w, height: h, channels: 3, background } })
    .composite(pictures)
    .png()
    .toBuffer()
}

/** The bytes with white at 255. */
function scaled(bytes: Uint8Array, factor: number): Uint8Array {
  return factor === 1 ? bytes : bytes.map((byte) => Math.min(255, Math.round(byte * factor)))
}
