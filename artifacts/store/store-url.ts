import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { withoutCredentials } from '../../common/credentials.ts'
import { UserError, errorMessage } from '../../common/errors.ts'

/**
 * The URL of a store. `file:///…` and `s3://bucket/prefix` stay as they are. A directory becomes a
 * file URL, relative to `base`. Throws a UserError for any other text.
 */
export function storeUrl(location: string, base = process.cwd()): string {
  if (location.trim() === '')
    throw new UserError(
      'the store is empty text; expected a directory, a file:// URL or s3://bucket/prefix as --store, as store in the config, or in ' +
        'ZEROSHIFT_STORE',
    )
  if (location.startsWith('file://')) {
    directoryOf(location)
    return location
  }
  if (location.startsWith('s3://')) {
    const { bucket, prefix } = bucketAndPrefix(location)
    return `s3://${bucket}${prefix && `/${prefix}`}`
  }
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    throw new UserError(
      `the store "${withoutCredentials(location)}" is of an unknown kind; expected a directory, a file:// URL or s3://bucket/prefix`,
    )
  }
  return pathToFileURL(isAbsolute(location) ? location : resolve(base, location)).href
}

/**
 * The parts of an s3:// URL. The prefix has no slash at its ends, and is empty for a whole bucket.
 * Throws a UserError if the URL holds credentials, or if the bucket or the prefix is not valid.
 */
export function bucketAndPrefix(url: string): { readonly bucket: string; readonly prefix: string } {
  const [bucket = '', ...folders] = url.slice('s3://'.length).split('/')
  const shown = withoutCredentials(url)
  if (shown !== url)
    throw new UserError(
      `the store "${shown}" holds credentials; expected none there: give them in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
    )
  if (!/^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(bucket))
    throw new UserError(
      `the store "${url}" names the bucket "${bucket}"; expected s3://bucket or s3://bucket/prefix, with 3 to 63 letters, digits, dots and dashes as the bucket's name`,
    )
  while (folders.at(-1) === '') folders.pop()
  const wrong = folders.find((folder) => ['', '.', '..'].includes(folder) || /[?#\p{Cc}]/u.test(folder))
  if (wrong !== undefined)
    throw new UserError(`the store "${url}" has "${wrong}" in its prefix; expected names between slashes`)
  return { bucket, prefix: folders.join('/') }
}

/** The directory of a file:// URL. Throws a UserError if the URL names no directory here. */
export function directoryOf(url: string): string {
  try {
    const directory = fileURLToPath(url)
    if (!directory.includes('\0')) return directory
    throw new Error('no name of a file has a NUL character')
  } catch (error) {
    throw new UserError(
      `the store "${url}" names no directory of this machine (${errorMessage(error)}); expected file:/// and an absolute path`,
    )
  }
}
