import { ApplicationFailure } from '@temporalio/activity'
import { MathError, UserError } from '../experiment/errors.ts'

/**
 * What Temporal is told of an error: the user's and the mathematics' are never retried, and keep their name as the
 * failure's type. Everything else, cancellation included, goes through as it is.
 */
export function asFailure(error: unknown): Error {
  if (error instanceof UserError || error instanceof MathError)
    return ApplicationFailure.create({
      message: error.message,
      type: error.name,
      nonRetryable: true,
      cause: error,
      ...(error instanceof UserError && { details: [error.problems] }),
    })
  return error instanceof Error ? error : new Error(String(error))
}
