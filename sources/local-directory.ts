import { resolve } from 'node:path'
import { UserError } from '../common/errors.ts'
import { isDirectory } from './host-cache.ts'
import { parseSource, type Source } from './source.ts'
import type { Located, Wanted } from './wanted.ts'
import type { WebFile } from './web.ts'

/**
 * A directory on this machine with the files of a source. Files of other sources than a directory
 * are downloaded into the cache. Throws a UserError for a wrong source, and a plain Error, which is
 * retried, for a failure of the network or the disk.
 */
export async function localDirectory(
  source: string,
  wanted: Wanted,
  { notify = () => undefined }: { readonly notify?: (line: string) => void } = {},
): Promise<Located> {
  const parsed = parseSource(source)
  // Modules are loaded on demand: a directory needs none of them.
  switch (parsed.kind) {
    case 'directory': {
      const directory = resolve(parsed.path)
      if (await isDirectory(directory)) return { directory }
      throw new UserError(`there is no directory ${directory}`)
    }
    case 'https':
      return fromFiles([pinned(parsed, wanted)], { ...wanted, notify })
    case 's3':
      return (await import('./s3.ts')).fromS3(parsed, wanted, notify)
    case 'hf':
      return (await import('./hub.ts')).fromHub(parsed, wanted, notify)
  }
}

/** A directory with published files from the web. Throws as `localDirectory` does. */
export async function fromFiles(
  files: readonly WebFile[],
  {
    maximumBytes,
    notify = () => undefined,
  }: { readonly maximumBytes?: number; readonly notify?: (line: string) => void } = {},
): Promise<Located> {
  return (await import('./web.ts')).fromWeb(files, { maximumBytes }, notify)
}

/** A file with its checksum. Throws a UserError if no checksum is given, or two different ones. */
function pinned({ url, sha256: own }: Extract<Source, { kind: 'https' }>, { sha256 = own }: Wanted): WebFile {
  if (sha256 === undefined)
    throw new UserError(
      `${url} comes without a checksum; expected its SHA-256 behind it, ${url}#sha256=…: its publisher's, or what sha256sum says of a copy that you trust`,
    )
  if (own !== undefined && own !== sha256)
    throw new UserError(`${url} is named with the SHA-256 ${own}, expected ${sha256}`)
  return { url, sha256 }
}
