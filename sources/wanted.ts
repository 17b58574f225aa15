import { UserError } from '../common/errors.ts'

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
