import { withoutCredentials } from './credentials.ts'

/**
 * There are three kinds of errors, and the rest of the code distinguishes only these.
 * A `UserError` is an error of the user and is never retried. A `MathError` is a failure of the
 * mathematics: its stage fails with a diagnosis, and the other stages go on. Any other error is a
 * failure of the environment, such as a network or a disk, and is retried with growing pauses.
 */

/** One thing that the user has to change. `line` and `column` count from 1. */
export interface Problem {
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The path in the config, such as `methods[2].rank`, if the problem has one. */
  readonly path?: string
}

/**
 * The user's input is wrong. The message says what was found, where, what was expected and what to
 * do. A command that throws this error exits with 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[] | string) {
    const list = (typeof problems === 'string' ? [{ message: problems }] : problems).map(shareable)
    super(list.map(formatProblem).join('\n'))
    this.problems = list
  }
}

/** Removes credentials, because problems are printed, recorded and sent to other processes. */
function shareable(problem: Problem): Problem {
  const { message, file } = problem
  return {
    ...problem,
    message: withoutCredentials(message),
    ...(file !== undefined && { file: withoutCredentials(file) }),
  }
}

/**
 * The mathematics failed, for example because a loss is not finite or an attack has no members.
 * Never retried.
 */
export class MathError extends Error {
  override readonly name = 'MathError'
}

/** `file:line:column: message`, which editors and terminals turn into links. */
export function formatProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return place ? `${place}: ${message}` : message
}

/**
 * The message of an error. For several failed attempts, as with the addresses of a host, it is the
 * message of the first one. An error without a message gives its code or its name.
 */
export function errorMessage(error: unknown): string {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error
  if (!(first instanceof Error)) return String(first)
  return first.message || ('code' in first ? String(first.code) : first.name)
}
