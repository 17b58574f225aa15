import { join } from 'node:path'
import type { Problem } from '../../experiment/errors.ts'
import { UserError } from '../../experiment/errors.ts'
import type { DatasetFacts } from '../../experiment/dataset.ts'
import type { Shape } from '../../experiment/model.ts'
import { inMemory, type Dataset } from './dataset.ts'
import { decodeImage, type Decoding, type Picture } from './decode.ts'
import { FormatError, summarised } from './files.ts'

/** An encoded image of a data set: its name within the directory, and its bytes, which are read when they are decoded. */
export interface Encoded {
  readonly name: string
  readonly label: number
  readonly bytes: () => Promise<Uint8Array>
}

export interface Pictures {
  readonly shape: Shape
  readonly images: Dataset['images']
  readonly labels: Int32Array
  /** Of those given, which were decoded: all but the corrupt ones that are left out. */
  readonly kept: readonly number[]
  readonly skipped?: DatasetFacts['skipped']
}

/** Images that are decoded at a time: enough for the threads that do it, and few in memory. */
const AT_ONCE = 16
const FIRST = 10
/** Images between two words of how far it is: a multiple of AT_ONCE. */
const NOTIFIED = 8192

/**
 * Decodes images, in their order. Throws a UserError with the first of those that cannot be decoded or have another size,
 * and the number of the rest, unless `skipCorrupt` leaves the former out. Pixels are kept where all take `inMemoryBytes` at
 * most; else images are decoded again when they are asked for.
 */
export async function decodePictures(
  encoded: readonly Encoded[],
  spec: Decoding & { readonly skipCorrupt: boolean },
  {
    directory,
    path,
    inMemoryBytes,
    notify,
  }: {
    readonly directory: string
    readonly path: string
    readonly inMemoryBytes: number
    readonly notify?: ((line: string) => void) | undefined
  },
): Promise<Pictures> {
  const corrupt: string[] = []
  const problems: Problem[] = []
  const labels: number[] = []
  const kept: number[] = []
  let shape: Shape | undefined = spec.size && [...spec.size, spec.channels]
  let pixels: Uint8Array | undefined
  for (let first = 0; first < encoded.length; first += AT_ONCE) {
    if (first > 0 && first % NOTIFIED === 0) notify?.(`checked ${first} of ${encoded.length} images`)
    const some = encoded.slice(first, first + AT_ONCE)
    const decoded = await Promise.all(some.map((one) => decodedOrNot(one, spec)))
    decoded.forEach((picture, i) => {
      const { name, label } = some[i] ?? { name: '', label: 0 }
      if (picture instanceof FormatError) {
        corrupt.push(name)
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
      const room = encoded.length * picture.pixels.length
      if (room <= inMemoryBytes) pixels ??= new Uint8Array(room)
      pixels?.set(picture.pixels, labels.length * picture.pixels.length)
      labels.push(label)
      kept.push(first + i)
    })
  }
  if (problems.length > 0) throw new UserError(summarised(problems, 'images'))
  if (!shape || labels.length === 0)
    throw new UserError([{ path, message: `none of ${encoded.length} images can be decoded` }])
  return {
    shape,
    images: pixels
      ? inMemory(pixels, shape)
      : decodedAgain(
          kept.flatMap((i) => encoded[i] ?? []),
          spec,
          shape,
        ),
    labels: Int32Array.from(labels),
    kept,
    ...(corrupt.length > 0 && { skipped: { images: corrupt.length, first: corrupt.slice(0, FIRST) } }),
  }
}

/** Images that could all be decoded before. */
function decodedAgain(encoded: readonly Encoded[], spec: Decoding, shape: Shape): Dataset['images'] {
  const size = shape[0] * shape[1] * shape[2]
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
