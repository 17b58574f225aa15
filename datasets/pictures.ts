import { join } from 'node:path'
import { z } from 'zod'
import { digestOf, sha256 } from '../common/canonical.ts'
import { UserError, type Problem } from '../common/errors.ts'
import { ownCitation, type DatasetFacts } from '../experiment/spec/dataset.ts'
import type { Shape } from '../experiment/models/layers.ts'
import { inMemory, type Dataset, type ReadOptions } from './dataset.ts'
import { decodeImage, decoderVersion, type Decoding, type Picture } from './decode.ts'
import { countLabels, FormatError, summarised } from './files.ts'

/** An encoded image of a data set. Its bytes are read when it is decoded. */
export interface Encoded {
  readonly name: string
  readonly label: number
  readonly bytes: () => Promise<Uint8Array>
}

export interface Pictures {
  readonly shape: Shape
  readonly images: Dataset['images']
  readonly labels: Int32Array
  /** The indices of the decoded images among the given ones. Corrupt images may be left out. */
  readonly kept: readonly number[]
  readonly skipped?: DatasetFacts['skipped']
}

/** The number of images decoded at once: enough for all threads, few in memory. */
const AT_ONCE = 16
const FIRST = 10
/** The number of images between two progress messages, a multiple of AT_ONCE. */
const NOTIFIED = 8192

/** The location of the images and the options of reading them. */
interface Place extends ReadOptions {
  readonly directory: string
  /** The config key that names the images. */
  readonly path: string
}

/** The results of decoding all images. Plain JSON. */
const surveySchema = z.object({
  shape: z.tuple([z.int(), z.int(), z.int()]),
  /** Indices of the images that cannot be decoded. */
  corrupt: z.array(z.int()),
})
type Survey = Readonly<z.output<typeof surveySchema>>

/**
 * Decodes images in order. Throws a UserError with the first images that cannot be decoded or have
 * a different size, and the number of the others. `skipCorrupt` leaves out the images that cannot
 * be decoded. If all pixels fit into `inMemoryBytes` they are kept. Otherwise images are decoded
 * again when they are requested.
 */
export async function decodePictures(
  encoded: readonly Encoded[],
  spec: Decoding & { readonly skipCorrupt: boolean },
  place: Place,
): Promise<Pictures> {
  const key = place.decodingCache && (await digestOfAll(encoded, spec))
  const known = key && surveySchema.safeParse(await place.decodingCache?.get(key)).data
  const isEnough =
    known &&
    encoded.length * sizeOf(known.shape) > place.inMemoryBytes &&
    (known.corrupt.length === 0 || spec.skipCorrupt)
  const { shape, corrupt, pixels } = isEnough
    ? { ...known, pixels: undefined }
    : await decodeAll(encoded, spec, place)
  if (key && !known) await place.decodingCache?.put(key, { shape, corrupt } satisfies Survey)

  const left = new Set(corrupt)
  const kept = encoded.flatMap((_, i) => (left.has(i) ? [] : [i]))
  const whole = kept.flatMap((i) => encoded[i] ?? [])
  const names = corrupt.map((i) => encoded[i]?.name ?? '')
  return {
    shape,
    images: pixels ? inMemory(pixels, shape) : decodedAgain(whole, spec, shape),
    labels: Int32Array.from(whole, ({ label }) => label),
    kept,
    ...(names.length > 0 && { skipped: { images: names.length, first: names.slice(0, FIRST) } }),
  }
}

const sizeOf = ([height, width, channels]: Shape) => height * width * channels

/** A digest of the images' bytes, the decoding options and the decoder. */
async function digestOfAll(
  encoded: readonly Encoded[],
  { size, resize, channels }: Decoding,
): Promise<string> {
  const digests: string[] = []
  for (const { bytes } of encoded) digests.push(sha256(await bytes()))
  return digestOf({ digests, size, resize, channels, decoder: await decoderVersion() })
}

/** Decodes all images. `pixels` has the pixels of the decodable images, if they are kept. */
async function decodeAll(
  encoded: readonly Encoded[],
  spec: Decoding & { readonly skipCorrupt: boolean },
  { directory, path, inMemoryBytes, notify }: Place,
): Promise<Survey & { readonly pixels: Uint8Array | undefined }> {
  const corrupt: number[] = []
  const problems: Problem[] = []
  let shape: Shape | undefined = spec.size && [...spec.size, spec.channels]
  let pixels: Uint8Array | undefined
  let filled = 0
  for (let first = 0; first < encoded.length; first += AT_ONCE) {
    if (first > 0 && first % NOTIFIED === 0) notify?.(`checked ${first} of ${encoded.length} images`)
    const some = encoded.slice(first, first + AT_ONCE)
    const decoded = await Promise.all(some.map((one) => decodedOrNot(one, spec)))
    decoded.forEach((picture, i) => {
      const { name } = some[i] ?? { name: '' }
      if (picture instanceof FormatError) {
        corrupt.push(first + i)
        if (!spec.skipCorrupt) problems.push({ path, message: `${join(directory, name)} ${picture.message}` })
        return
      }
      shape ??= picture.shape
      const [height, width] = shape
      if (picture.shape.join() !== shape.join()) {
        const message = `${join(directory, name)} has ${picture.shape[0]}×${picture.shape[1]} pixels, and the first image ${height}×${width}; give data.size, to which all are scaled`
        problems.push({ path, message })
        return
      }
      const { length } = picture.pixels
      if (encoded.length * length <= inMemoryBytes) pixels ??= new Uint8Array(encoded.length * length)
      pixels?.set(picture.pixels, filled)
      filled += length
    })
  }
  if (problems.length > 0) throw new UserError(summarised(problems, 'images'))
  if (!shape || corrupt.length === encoded.length)
    throw new UserError([{ path, message: `none of ${encoded.length} images can be decoded` }])
  return { shape: [...shape], corrupt, pixels }
}

/** Decodes images on request that were decoded successfully before. */
function decodedAgain(encoded: readonly Encoded[], spec: Decoding, shape: Shape): Dataset['images'] {
  const size = sizeOf(shape)
  return async (from, to) => {
    const images = new Uint8Array((to - from) * size)
    for (let first = from; first < to; first += AT_ONCE) {
      const some = encoded.slice(first, Math.min(first + AT_ONCE, to))
      const decoded = await Promise.all(some.map(async ({ bytes }) => decodeImage(await bytes(), spec)))
      decoded.forEach(({ pixels }, i) => {
        images.set(pixels, (first - from + i) * size)
      })
    }
    return images
  }
}

async function decodedOrNot({ bytes }: Encoded, spec: Decoding): Promise<Picture | FormatError> {
  const content = await bytes()
  return decodeImage(content, spec).catch((error: unknown) => {
    if (error instanceof FormatError) return error
    throw error
  })
}

/**
 * The data set of decoded pictures whose first `given` encoded ones are of training files.
 * sources: the files, as the facts name them. names: of all encoded pictures.
 */
export function pictureDataset(
  { shape, images, labels, kept, skipped }: Pictures,
  { name, classes, sources }: Pick<DatasetFacts, 'name' | 'classes' | 'sources'>,
  given: number,
  names: readonly string[],
): Dataset {
  const trainable = kept.filter((i) => i < given).length
  return {
    facts: {
      name,
      shape,
      classes,
      train: countLabels(labels.subarray(0, trainable), classes.length),
      test: countLabels(labels.subarray(trainable), classes.length),
      sources,
      citation: ownCitation,
      ...(skipped && { skipped }),
    },
    labels,
    images,
    trainable,
    names: kept.map((i) => names[i] ?? ''),
  }
}
