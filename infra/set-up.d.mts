/**
 * Sets up the parts that are missing, and does nothing if none is. Rejects with a SetupError, whose
 * message is for the user.
 */
export function bootstrap(options?: {
  /** TensorFlow's library and its addon. True unless given, as `temporal` is. */
  readonly native?: boolean
  readonly temporal?: boolean
  readonly mlflow?: boolean
  readonly s3?: boolean
  readonly gpu?: boolean
}): Promise<void>
