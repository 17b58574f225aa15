import { ApplicationFailure, Context } from '@temporalio/activity'
import { ApplicationFailureCategory } from '@temporalio/common'
import { MathError, UserError } from '../../common/errors.ts'
import { ComputedElsewhereError, HandedOverError, OutOfMemoryError } from './durable.ts'

/** What a stage reads is gone or damaged; the stage of this key has to be computed again. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError'
  readonly key: string

  constructor(message: string, key: string) {
    super(message)
    this.key = key
  }
}

/** An error of the program itself will be the same the next time; a few attempts allow for a worker that is broken. */
const ATTEMPTS_AT_A_BUG = 5
/**
 * Of the attempts that the workflow's policy allows. Another run may train for days: the workflow then asks anew, and what
 * the world does to the stage afterwards has its full hour.
 */
const ATTEMPTS_AT_WAITING = 200
const bugs: readonly string[] = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']

/**
 * What Temporal is told of an error. The user's and the mathematics' are never retried, and keep their name as the
 * failure's type; so does a damaged input, which the workflow repairs. What a stopping worker handed over is taken up at
 * once, and so is what ran out of memory, in smaller parts; what another run computes is looked for again after a while. The world's are retried for as long as the workflow's policy says; cancellation goes through as it is.
 */
export function asFailure(error: unknown): Error {
  if (error instanceof UserError || error instanceof MathError || isLastingBug(error))
    return ApplicationFailure.create({
      message: error.message,
      type: error.name,
      nonRetryable: true,
      cause: error,
      ...(error instanceof UserError && { details: [error.problems] }),
    })
  if (error instanceof DamagedInputError)
    return ApplicationFailure.create({
      message: error.message,
      type: error.name,
      nonRetryable: true,
      details: [error.key],
    })
  if (error instanceof HandedOverError)
    return ApplicationFailure.create({ message: error.message, type: error.name, nextRetryDelay: 100 })
  if (error instanceof OutOfMemoryError)
    return ApplicationFailure.create({
      message: error.message,
      type: error.name,
      nonRetryable: error.isFinal,
      nextRetryDelay: 100,
    })
  if (error instanceof ComputedElsewhereError)
    return ApplicationFailure.create({
      message: error.message,
      type: error.name,
      nextRetryDelay: error.afterMs,
      nonRetryable: Context.current().info.attempt >= ATTEMPTS_AT_WAITING,
      // No news for a worker's log.
      category: ApplicationFailureCategory.BENIGN,
    })
  return error instanceof Error ? error : new Error(String(error))
}

function isLastingBug(error: unknown): error is Error {
  return (
    error instanceof Error && bugs.includes(error.name) && Context.current().info.attempt >= ATTEMPTS_AT_A_BUG
  )
}
