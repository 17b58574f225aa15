import { ApplicationFailure, Context } from '@temporalio/activity'
import { ApplicationFailureCategory } from '@temporalio/common'
import { MathError, UserError } from '../../common/errors.ts'

/** The worker shuts down. The attempt saved its work, and another worker continues the stage. */
export class HandedOverError extends Error {
  override readonly name = 'HandedOverError'
}

/**
 * Another run computes the stage. The attempt ends, so that the worker does other work meanwhile.
 */
export class ComputedElsewhereError extends Error {
  override readonly name = 'ComputedElsewhereError'
  /** Milliseconds until the next attempt. */
  readonly afterMs: number

  constructor(afterMs: number) {
    super('another run computes this stage')
    this.afterMs = afterMs
  }
}

/**
 * Memory ran out. The next attempt has more micro-batches in each batch, unless the error is final.
 */
export class OutOfMemoryError extends Error {
  override readonly name = 'OutOfMemoryError'
  /** The micro-batches are single samples already. */
  readonly isFinal: boolean

  constructor(message: string, isFinal: boolean) {
    super(message)
    this.isFinal = isFinal
  }
}

/** An input of a stage is missing or damaged. The stage that made it has to be computed again. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError'
  /** The key of the stage that made the input. */
  readonly key: string

  constructor(message: string, key: string) {
    super(message)
    this.key = key
  }
}

/**
 * The number of attempts with errors that usually occur again: those of the code itself, and
 * external programs that the system kills. A few attempts are made, because one worker may be
 * broken, or have too little memory, and another one not.
 */
const attemptsAt: ReadonlyMap<string, number> = new Map([
  ['TypeError', 5],
  ['RangeError', 5],
  ['ReferenceError', 5],
  ['SyntaxError', 5],
  ['ProgramKilledError', 10],
])
/**
 * The attempts that may wait for another run, out of those that the workflow's retry policy allows.
 * The other run may train for days. After these attempts the workflow starts the activity anew, so
 * that failures of another kind have all their attempts.
 */
const ATTEMPTS_AT_WAITING = 200

/**
 * Converts an error of an activity to the failure that Temporal records:
 *
 * - a UserError or a MathError is never retried, and its name is the type of the failure;
 * - a DamagedInputError is not retried either: the workflow first computes the input again;
 * - after a HandedOverError or an OutOfMemoryError, the next attempt starts at once;
 * - after a ComputedElsewhereError, the next attempt starts when the error says;
 * - any other error is retried according to the workflow's policy;
 * - a cancellation is returned unchanged.
 */
export function asFailure(error: unknown): Error {
  if (error instanceof UserError || error instanceof MathError || isLasting(error))
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
      // The SDK does not log benign failures as errors.
      category: ApplicationFailureCategory.BENIGN,
    })
  return error instanceof Error ? error : new Error(String(error))
}

function isLasting(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return Context.current().info.attempt >= (attemptsAt.get(error.name) ?? Infinity)
}
