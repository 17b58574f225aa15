import { FileStore } from './file-store.ts'
import type { ObjectStore } from './object-store.ts'
import { S3Store } from './s3-store.ts'
import { servedStore } from './served-store.ts'
import { bucketAndPrefix, directoryOf, storeUrl } from './store-url.ts'

/**
 * The store at a location, without connecting to it. Throws a UserError if the location is not
 * valid, or if a setting of S3 in the environment is wrong.
 */
export function openStore(location: string): ObjectStore {
  const url = storeUrl(location)
  if (!url.startsWith('s3://')) {
    const directory = directoryOf(url)
    return servedStore(directory) ?? new FileStore(directory)
  }
  const { bucket, prefix } = bucketAndPrefix(url)
  return new S3Store(bucket, prefix)
}
