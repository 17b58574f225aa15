import { UserError } from '../common/errors.ts'
import { formats, levels } from './worker-log.mjs'

/**
 * Throws a UserError if ZEROSHIFT_LOG or ZEROSHIFT_LOG_FORMAT has an unknown value. An empty value
 * is like none.
 */
export function refuseLogSettings(environment: NodeJS.ProcessEnv): void {
  const { ZEROSHIFT_LOG: level = '', ZEROSHIFT_LOG_FORMAT: format = '' } = environment
  const wrong = [
    ...unknown('ZEROSHIFT_LOG', level, level.toUpperCase(), levels),
    ...unknown('ZEROSHIFT_LOG_FORMAT', format, format, formats),
  ]
  if (wrong.length > 0) throw new UserError(wrong)
}

function unknown(name: string, text: string, value: string, known: readonly string[]) {
  if (text === '' || known.includes(value)) return []
  const expected = known.map((one) => one.toLowerCase()).join(', ')
  return [{ message: `${name} is '${text}'; expected one of ${expected}` }]
}
