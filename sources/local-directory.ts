import { resolve } from 'node:path'
import { UserError } from '../experiment/errors.ts'
import { isDirectory } from './host-cache.ts'
import { parseSource, type Source } from './source.ts'
import type { WebFile } from './web.ts'

export interface Wanted {
  /** Which files of a bucket or a repository, by their paths relative to it. What a URL names is taken whole. */
  readonly files: (name: string) => boolean
  /** Of what a URL names, where the source itself does not say it. */
  readonly sha256?: string
  /** Of all of them together; of what an archive holds, too. */
  readonly maximumBytes?: number
}

export interface Located {
  /** On this machine; holds the wanted files. Not to be written to. */
  readonly directory: string
  /** What names the content for good, for records: a hub's commit, a checksum. A directory's content has no name. */
  readonly revision?: string
}

/**
 * The local directory of a source's files: a directory is itself, others are downloaded into the cache of this host.
 * Throws a UserError where the source is wrong; a plain Error where the network or the disk is, so that it is tried again.
 */
export async function localDirectory(
  source: string,
  wanted: Wanted,
  { notify = () => undefined }: { readonly notify?: (line: string) => void } = {},
): Promise<Located> {
  const parsed = parseSource(source)
  // Loaded here: who names a directory needs none of them.
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

/** The directory of files that their publisher has put on the web. Throws as `localDirectory` does. */
export async function fromFiles(
  files: readonly WebFile[],
  {
    maximumBytes,
    notify = () => undefined,
  }: { readonly maximumBytes?: number; readonly notify?: (line: string) => void } = {},
): Promise<Located> {
  return (await import('./web.ts')).fromWeb(files, { maximumBytes }, notify)
}

/** Throws a UserError where nobody says what the file has to be. */
function pinned({ url, sha256: own }: Extract<Source, { kind: 'https' }>, { sha256 = own }: Wanted): WebFile {
  if (sha256 === undefined)
    throw new UserError(
      `${url} comes without a checksum; expected its SHA-256 behind it, ${url}#sha256=…: its publisher's, or what sha256sum says of a copy that you trust`,
    )
  if (own !== undefined && own !== sha256)
    throw new UserError(`${url} is named with the SHA-256 ${own}, expected ${sha256}`)
  return { url, sha256 }
}

/** Throws a UserError where there are none: a source that holds other files is most likely the wrong one. */
export function refuseNoFiles(source: string, wanted: readonly unknown[], present: readonly string[]): void {
  if (wanted.length > 0) return
  const some = present.slice(0, 5).join(', ')
  const found =
    present.length === 0 ? 'it is empty' : `it has ${some}${present.length > 5 ? ' and others' : ''}`
  throw new UserError(`${source} holds none of the files that are wanted: ${found}`)
}

export function refuseTooMuch(source: string, bytes: number, { maximumBytes = Infinity }: Wanted): void {
  if (bytes > maximumBytes)
    throw new UserError(`${source} holds ${bytes} bytes of what is wanted; expected ${maximumBytes} at most`)
}
