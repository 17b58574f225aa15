import { withoutCredentials } from './credentials.ts'

/**
 * Errors have three kinds, and the rest of the code asks only for the kind:
 * the user's (never retried), the world's (retried with back-off; any error that is not one of these two),
 * and the mathematics' (fails its stage with a diagnosis, the rest goes on).
 */

/** One thing the user has to change. `line` and `column` count from 1. */
export interface Problem {
  readonly message: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The config path, such as `methods[2].rank`, where there is one. */
  readonly path?: string
}

/** The user's input is wrong: says what was found, where, what was expected and what to do. Exit code 2. */
export class UserError extends Error {
  override readonly name = 'UserError'
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[] | string) {
    const list = (typeof problems === 'string' ? [{ message: problems }] : problems).map(shareable)
    super(list.map(formatProblem).join('\n'))
    this.problems = list
  }
}

/**
 * Problems are printed, recorded and sent on: what they repeat of the input holds no credentials.
 */
function shareable(problem: Problem): Problem {
  const { message, file } = problem
  return {
    ...problem,
    message: withoutCredentials(message),
    ...(file !== undefined && { file: withoutCredentials(file) }),
  }
}

/** The mathematics failed: a loss that is not finite, an attack without members. Never retried. */
export class MathError extends Error {
  override readonly name = 'MathError'
}

/** `file:line:column: message`, the form that editors and terminals turn into links. */
export function formatProblem({ file, line, column, message }: Problem): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return place ? `${place}: ${message}` : message
}
