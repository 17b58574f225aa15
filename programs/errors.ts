import { UserError } from '../common/errors.ts'

/**
 * An external program failed, or its result is not as the contract says. As every UserError, it is
 * never retried: the same program would fail again.
 */
export class ProgramError extends UserError {}

/**
 * A signal ended a program, though Zeroshift did not send it and the program did not cause it: the
 * system kills processes if memory runs out, and an operator may stop all of them. The next
 * attempt, perhaps on another machine, may succeed.
 */
export class ProgramKilledError extends Error {
  override readonly name = 'ProgramKilledError'
}
