import { UserError } from '../experiment/errors.ts'

/** The value of an option that counts something, from 1 on. Throws a UserError. */
export function wholeNumber(option: string, text: string, most = Infinity): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  const range = most === Infinity ? 'from 1 on' : `from 1 to ${most}`
  throw new UserError(`${option}: expected a whole number ${range}, found '${text}'`)
}
