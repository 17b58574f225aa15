import { ApplicationFailure, Context } from '@temporalio/activity'
import { MathError, UserError } from '../experiment/errors.ts'
import { HandedOverError } from './durable.ts'

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
const bugs: readonly string[] = ['TypeError', 'RangeError', 'ReferenceError', 'SyntaxError']

/**
 * What Temporal is told of an error. The user's and the mathematics' are never retried, and keep their name as the
 * failure's type; so does a damaged input, which the workflow repairs. What a stopping worker handed over is taken up at
 * once. The world's are retried for as long as the workflow's policy says; cancellation goes through as it is.
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
  return error instanceof Error ? error : new Error(String(error))
}

function isLastingBug(error: unknown): error is Error {
  return (
    error instanceof Error && bugs.includes(error.name) && Context.current().info.attempt >= ATTEMPTS_AT_A_BUG
  )
}
