import { join } from 'node:path'
import type { Problem } from '../../experiment/errors.ts'
import { UserError } from '../../experiment/errors.ts'
import type { DatasetFacts } from '../../experiment/dataset.ts'
import type { Shape } from '../../experiment/model.ts'
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
  readonly images: Uint8Array
  readonly labels: Int32Array
  /** Of those given, which were decoded: all but the corrupt ones that are left out. */
  readonly kept: readonly number[]
  readonly skipped?: DatasetFacts['skipped']
}

/** Images that are decoded at a time: enough for the threads that do it, and few in memory. */
const AT_ONCE = 16
const FIRST = 10

/**
 * Decodes images, in their order. Throws a UserError with the first of those that cannot be decoded or have another size,
 * and the number of the rest, unless `skipCorrupt` leaves the former out.
 */
export async function decodePictures(
  encoded: readonly Encoded[],
  spec: Decoding & { readonly skipCorrupt: boolean },
  { directory, path }: { readonly directory: string; readonly path: string },
): Promise<Pictures> {
  const corrupt: string[] = []
  const problems: Problem[] = []
  const labels: number[] = []
  const kept: number[] = []
  let shape: Shape | undefined = spec.size && [...spec.size, spec.channels]
  let images = new Uint8Array(0)
  for (let first = 0; first < encoded.length; first += AT_ONCE) {
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
      // Those that cannot be decoded need no room.
      if (images.length === 0) images = new Uint8Array(roomFor(encoded.length, picture, path))
      images.set(picture.pixels, labels.length * picture.pixels.length)
      labels.push(label)
      kept.push(first + i)
    })
  }
  if (problems.length > 0) throw new UserError(summarised(problems, 'images'))
  if (!shape || labels.length === 0)
    throw new UserError([{ path, message: `none of ${encoded.length} images can be decoded` }])
  return {
    shape,
    images: images.subarray(0, labels.length * shape[0] * shape[1] * shape[2]),
    labels: Int32Array.from(labels),
    kept,
    ...(corrupt.length > 0 && { skipped: { images: corrupt.length, first: corrupt.slice(0, FIRST) } }),
  }
}

/** What one array holds at most. */
const MOST_BYTES = 2 ** 32 - 1

function roomFor(count: number, { shape, pixels }: Picture, path: string): number {
  const bytes = count * pixels.length
  if (bytes <= MOST_BYTES) return bytes
  const message = `${count} images of ${shape.join('×')} take ${bytes} bytes, expected at most ${MOST_BYTES}; give a smaller data.size`
  throw new UserError([{ path, message }])
}

async function decodedOrNot({ bytes }: Encoded, spec: Decoding): Promise<Picture | FormatError> {
  const content = await bytes()
  return decodeImage(content, spec).catch((error: unknown) => {
    if (error instanceof FormatError) return error
    throw error
  })
}
