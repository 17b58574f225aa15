/** An object in a listing of a store. */
export interface StoredObject {
  readonly path: string
  readonly bytes: number
  /** When the object was last written, in milliseconds since 1970 by the store's own clock. */
  readonly modified: number
}

export interface HashedBytes {
  readonly bytes: Uint8Array
  /** Lower-case hexadecimal. */
  readonly sha256: string
}

/**
 * A store of named bytes. It has only the operations that every S3 bucket offers. Paths are
 * relative, with forward slashes.
 */
export interface ObjectStore {
  readonly url: string
  /** The bytes of an object. Returns undefined if there is no object of this path. */
  get(path: string): Promise<Uint8Array | undefined>
  /** The bytes of an object with the SHA-256 of what was received. */
  getHashed(path: string): Promise<HashedBytes | undefined>
  /** The size of an object in bytes, without reading it. Returns undefined if there is none. */
  size(path: string): Promise<number | undefined>
  /**
   * Writes an object, or replaces it. A reader sees either all of the old bytes or all new ones.
   */
  put(path: string, bytes: Uint8Array): Promise<void>
  /**
   * Writes an object if there is none of this path, and returns whether it did. If several writers
   * call this at the same time, exactly one of them gets true.
   */
  putIfAbsent(path: string, bytes: Uint8Array): Promise<boolean>
  /** The objects below a prefix that ends in a slash, sorted by path. */
  list(prefix: string): Promise<readonly StoredObject[]>
  /** Deletes an object. Does nothing if there is none. */
  delete(path: string): Promise<void>
  /** The URL of an object, for messages. */
  locate(path: string): string
}

/** Whether other machines can reach the store, so that reading from it takes a network. */
export function isRemote({ url }: ObjectStore): boolean {
  return url.startsWith('s3://')
}
