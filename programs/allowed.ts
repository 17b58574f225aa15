import { UserError } from '../common/errors.ts'

/**
 * Throws a UserError that lists the names of environment variables that no program may get: those
 * that look like credentials, and those that Zeroshift sets itself.
 */
export function refuseCredentials(variables: readonly string[]): void {
  if (variables.length > 0) throw new UserError('not written yet')
}
