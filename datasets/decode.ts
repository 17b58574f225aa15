import type { Shape } from '../experiment/models/layers.ts'
import { FormatError } from './files.ts'

/** Options for decoding images, a part of `data` in the spec. */
export interface Decoding {
  readonly size?: readonly [number, number] | undefined
  readonly resize: 'squash' | 'crop'
  readonly channels: 1 | 3
}

export interface Picture {
  readonly shape: Shape
  /** Bytes [height, width, channels]. */
  readonly pixels: Uint8Array
}

/** An image with more pixels in its header is refused before it is decoded. */
const MOST_PIXELS = 2 ** 26

/** The accepted image formats, recognised by their first bytes. */
const FORMATS = ['png', 'jpeg', 'webp']

/**
 * Decodes a PNG, JPEG or WebP image. The EXIF orientation is applied, transparent parts become
 * black, 16 bits per channel are reduced to 8, and colour profiles are ignored. The same bytes give
 * the same pixels on every processor, since libvips runs without vector instructions and scales in
 * fixed point. Throws a FormatError.
 */
export async function decodeImage(bytes: Uint8Array, { size, resize, channels }: Decoding): Promise<Picture> {
  const sharp = await vips()
  try {
    const image = sharp(bytes, {
      failOn: 'error',
      limitInputPixels: MOST_PIXELS,
      ignoreIcc: true,
      autoOrient: true,
    })
    const { format, space, width, height } = await sharp(bytes, { limitInputPixels: false }).metadata()
    if (!FORMATS.includes(format))
      throw new FormatError(`is of the format ${format}, expected png, jpeg or webp`)
    if (width * height > MOST_PIXELS)
      throw new FormatError(`has ${width}×${height} pixels, expected at most ${MOST_PIXELS}`)
    if (space === 'cmyk')
      throw new FormatError('has the inks of printing (CMYK) for channels; save it in RGB or grey')
    const flat = image.flatten({ background: 'black' }).toColourspace(channels === 1 ? 'b-w' : 'srgb')
    const scaled = size
      ? flat.resize(size[1], size[0], {
          fit: resize === 'crop' ? 'cover' : 'fill',
          fastShrinkOnLoad: false,
        })
      : flat
    const { data, info } = await scaled.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
    if (info.channels !== channels)
      throw new FormatError(`has ${info.channels} channels once it is decoded, expected ${channels}`)
    return { shape: [info.height, info.width, channels], pixels: data }
  } catch (error) {
    if (error instanceof FormatError) throw error
    // libvips may report the reason of another image that is decoded at the same time.
    throw new FormatError('cannot be decoded: it is cut, damaged or no image')
  }
}

/** The decoder's versions. Other versions may give other pixels or accept other damage. */
export async function decoderVersion(): Promise<string> {
  const { versions } = await vips()
  return JSON.stringify(versions)
}

/** libvips is loaded only when the first image is decoded. */
async function vips() {
  const { default: sharp } = await import('sharp')
  sharp.simd(false)
  sharp.cache(false)
  sharp.concurrency(1)
  return sharp
}
