import { errorMessage } from './errors.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOTDIR: 'it, or a folder above it, is a file, expected a directory',
  EEXIST: 'it is a file, expected a directory',
  ENOENT: 'no folder can be made there',
  ELOOP: 'it is a symbolic link that leads back to itself',
  ENAMETOOLONG: 'its name is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's share of the disk is full",
  EROFS: 'the disk is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
}

/**
 * Why something cannot be written, as the end of a sentence that names the file or the folder.
 * Takes an error of the file system, or an error with such a `cause`.
 */
export function unwritable(error: unknown): string {
  const { cause = error } = error instanceof Error ? error : {}
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  return REASONS[code] ?? errorMessage(error)
}
