import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { FormatError } from './files.ts'

/** Pictures compress by 2 to 10; what grows more than this is no picture, and would fill the memory. */
export const MOST_EXPANSION = 100

/** The content of a gzipped file, whose checksum vouches for it. Throws a FormatError. */
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
