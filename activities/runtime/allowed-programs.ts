import { UserError } from '../../common/errors.ts'

const VARIABLE = 'ZEROSHIFT_ALLOW_EXTERNAL'

/**
 * Whether a worker executes external programs: as ZEROSHIFT_ALLOW_EXTERNAL says, or else
 * `unlessSet`. Throws a UserError for a value other than 1 and 0.
 */
export function allowsPrograms(unlessSet: boolean, env: NodeJS.ProcessEnv = process.env): boolean {
  const value = env[VARIABLE] ?? ''
  if (value === '') return unlessSet
  if (value === '1' || value === '0') return value === '1'
  throw new UserError(`${VARIABLE} is '${value}'; expected 1 or 0`)
}
