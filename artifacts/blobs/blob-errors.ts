import type { BlobRef } from '../../experiment/records/manifest.ts'

/** A blob cannot be used. The message says what to do. */
export class BlobError extends Error {
  readonly blob: BlobRef

  constructor(message: string, blob: BlobRef) {
    super(message)
    this.blob = blob
  }
}

/** The bytes of a blob do not have the size or the SHA-256 that its reference gives. */
export class CorruptBlobError extends BlobError {
  override readonly name = 'CorruptBlobError'
}

/** A manifest names a blob that the store does not have. */
export class MissingBlobError extends BlobError {
  override readonly name = 'MissingBlobError'
}
