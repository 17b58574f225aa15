import { UserError } from '../common/errors.ts'

/**
 * An external program failed, or its result is not as the contract says. As every UserError, it is
 * never retried: the same program would fail again.
 */
export class ProgramError extends UserError {}
