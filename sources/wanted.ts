import { UserError } from '../common/errors.ts'

export interface Wanted {
  /**
   * Selects files of a bucket or a repository by their relative paths. A URL is always taken whole.
   */
  readonly files: (name: string) => boolean
  /** The SHA-256 of the file of a URL, if the source itself does not give it. */
  readonly sha256?: string
  /** The largest total size of the files, also of those in an archive. */
  readonly maximumBytes?: number
}

export interface Located {
  /** A directory on this machine with the files. Nobody may write to it. */
  readonly directory: string
  /** A permanent name of the content, such as a commit or a checksum. A directory has none. */
  readonly revision?: string
}

/** Throws a UserError if there are no files, since the source is then most likely the wrong one. */
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
