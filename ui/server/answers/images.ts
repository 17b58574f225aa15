import sharp from 'sharp'
import { pixelsOf, type Pictures } from '../../../activities/samples.ts'
import { RefusedRequest, type Answer, type Params } from './answer.ts'
import type { AnswerContext } from './context.ts'
import { picturesOf, sampleNumber } from './samples.ts'

/** A picture of a sample as PNG, in its own size. */
export async function imageAnswer(context: AnswerContext, { run = '', image = '' }: Params): Promise<Answer> {
  const pictures = await picturesOf(context, run)
  const sample = image.endsWith('.png') ? sampleNumber(image.slice(0, -'.png'.length)) : -1
  const pixels = pixelsOf(pictures, sample)
  if (!pixels) throw new RefusedRequest(404, `the data have no picture ${image}`)
  return { bytes: await pngOf(pixels, pictures), type: 'image/png' }
}

/** Pixels as PNG: in colours if there are three channels, else the first channel in grey. */
export async function pngOf(
  pixels: Uint8Array,
  { shape, white }: Pick<Pictures, 'shape' | 'white'>,
): Promise<Uint8Array> {
  const [height, width, channels] = shape
  const shown = channels === 1 || channels === 3 ? channels : 1
  const bytes = new Uint8Array(height * width * shown)
  for (let i = 0; i < height * width; i++)
    for (let c = 0; c < shown; c++)
      bytes[i * shown + c] = Math.min(255, Math.round((255 * (pixels[i * channels + c] ?? 0)) / white))
  return sharp(bytes, { raw: { width, height, channels: shown } })
    .png()
    .toBuffer()
}
