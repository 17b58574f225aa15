import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { FormatError } from './files.ts'

/**
 * The largest accepted ratio of unpacked to packed size. Images compress by a factor of 2 to 10; a
 * larger factor would exhaust the memory.
 */
export const MOST_EXPANSION = 100

/** Unpacks a gzipped file and verifies its checksum. Throws a FormatError. */
export async function gunzipped(bytes: Uint8Array): Promise<Uint8Array> {
  const maxOutputLength = MOST_EXPANSION * bytes.length + 1024
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new FormatError(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? `unpacks to more than ${MOST_EXPANSION} times its ${bytes.length} bytes: it is no file of pictures`
        : `cannot be unpacked (${message}): it is truncated or was changed`,
    )
  }
}
