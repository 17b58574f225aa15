import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { digestOf } from '../common/canonical.ts'
import { UserError } from '../common/errors.ts'
import { wrongChecksum } from './checksum.ts'
import { download, openUrl } from './download.ts'
import { cachedDirectory, cachePath } from './host-cache.ts'
import { contentOf, isArchive, unpack } from './unpack.ts'
import type { Located } from './wanted.ts'

/**
 * A file on the web. Its checksum identifies it, so that it is not downloaded twice from any URL.
 */
export interface WebFile {
  readonly url: string
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes?: number | undefined
}

/** After a failure, the reader of tar files may still write, so that a deletion needs retries. */
const EVEN_WHILE_WRITTEN = { recursive: true, force: true, maxRetries: 10 } as const

const MOST_BYTES = 500e9
const MOST_FILES = 5_000_000

/** Downloads files into one directory. Archives (zip, tar, tar.gz, tgz) are unpacked there. */
export async function fromWeb(
  files: readonly WebFile[],
  { maximumBytes = MOST_BYTES }: { readonly maximumBytes?: number | undefined },
  notify: (line: string) => void,
): Promise<Located> {
  // The names count too, because the ending of a name decides whether the file is unpacked.
  const revision = digestOf(files.map(({ url, sha256 }) => [nameOf(url), sha256]))
  const directory = await cachedDirectory(cachePath('web', revision), async (incoming) => {
    const whole = join(incoming, 'files')
    await rm(whole, { recursive: true, force: true })
    await mkdir(whole)
    for (const file of files) {
      const name = nameOf(file.url)
      const arrived = join(incoming, 'download', name)
      try {
        notify(`downloading ${file.url}${megabytes(file.bytes)} into ${cachePath()}`)
        await download(remoteFile(file, maximumBytes), arrived)
        if (isArchive(name)) await unpackFrom(file.url, arrived, whole, maximumBytes)
        else await rename(arrived, join(whole, name))
      } catch (error) {
        // Another attempt would fail in the same way.
        if (error instanceof UserError) await rm(incoming, EVEN_WHILE_WRITTEN)
        throw error
      }
    }
    return contentOf(whole)
  })
  const [only] = files.length === 1 ? files : []
  return { directory, revision: `sha256:${only?.sha256 ?? revision}` }
}

async function unpackFrom(url: string, file: string, into: string, maximumBytes: number): Promise<void> {
  try {
    await unpack(file, into, { maximumBytes, maximumFiles: MOST_FILES })
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${url}: ${error.message}`) : error
  }
}

const megabytes = (bytes: number | undefined) =>
  bytes === undefined ? '' : ` (${Math.ceil(bytes / 1e6)} MB)`

function remoteFile({ url, sha256, bytes }: WebFile, maximumBytes: number) {
  return {
    ...{ name: url, identity: `sha256:${sha256}`, bytes, maximumBytes },
    open: (from: number, etag: string | undefined) => openUrl(url, from, etag),
    verify: (file: string) => wrongChecksum(file, { kind: 'sha256', value: sha256 }),
  }
}

/** The last part of the URL's path, as a file's name. */
function nameOf(url: string): string {
  const encoded = new URL(url).pathname.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(encoded).replaceAll(/[/\\\p{Cc}]/gu, '_')
  } catch {
    return encoded
  }
}
