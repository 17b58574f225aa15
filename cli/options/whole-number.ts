import { UserError } from '../../common/errors.ts'

/**
 * Returns the value of an option that is a count from 1 on. It accepts decimal digits only, since
 * `Number` also accepts 0x10, 1e3 and white space. Throws a UserError.
 */
export function wholeNumber(option: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
  if (value >= 1 && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? 'from 1 on' : `from 1 to ${most}`
  throw new UserError(`${option}: expected a whole number ${range}, found '${text}'`)
}
