import { findingsOf } from '../experiment/spec/config-issues.ts'
import { formatPath } from '../common/path.ts'
import { parseJson } from '../common/json.ts'
import { progressKeys, progressLineSchema, type ProgressLine } from './contract.ts'
import { ProgramError } from './errors.ts'

/**
 * Reads a line of standard output. Returns undefined for a line that is not meant as progress: for
 * text, and for JSON that has none of the keys of the contract. Throws a ProgramError for a line
 * that is meant as JSON and is not valid, such as one with a loss that is NaN.
 */
export function progressOf(line: string, isCut: boolean): ProgressLine | undefined {
  if (!/^\s*\{\s*"/.test(line)) return undefined
  const shown = line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
  const value = isCut ? undefined : parseJson(line)
  if (value === undefined)
    throw new ProgramError(
      `standard output has the line ${shown}\nwhich begins as a JSON object and is not valid JSON${isCut ? ', because it is too long' : ''}; ` +
        'expected one JSON object in one line. NaN and Infinity are no JSON: a loss that is not a number has to be left out',
    )
  if (typeof value !== 'object' || value === null || !progressKeys.some((key) => Object.hasOwn(value, key)))
    return undefined
  const { success, data } = progressLineSchema.safeParse(value)
  if (success) return data
  const problems = findingsOf(progressLineSchema, value).map(
    ({ path, message }) => `${formatPath(path)}: ${message}`,
  )
  throw new ProgramError(
    `standard output has the line ${shown}\nwhich is not as the contract says: ${problems.join('; ')}`,
  )
}

/** The number of characters of a line that an error shows. */
const SHOWN = 300
