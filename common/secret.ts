import { errorMessage, UserError } from './errors.ts'
import { readRegularFileSync, unreadable } from './regular-file.ts'

/**
 * A secret from the environment: the value of `NAME`, or the contents of the file that `NAME_FILE`
 * names, as containers pass secrets. White space around it is ignored. Returns undefined if neither
 * is set. Throws a UserError, which never shows a secret, if both are set or the file is not valid.
 */
export function secretOf(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const value = env[name]
  const file = env[`${name}_FILE`]
  if (!file) return value?.trim() === '' ? undefined : value?.trim()
  if (value)
    throw new UserError(`${name} and ${name}_FILE are both set; expected one of them: unset the other`)
  let text: string
  try {
    text = readRegularFileSync(file).toString().trim()
  } catch (error) {
    const reason = unreadable(error) ?? `cannot be read: ${errorMessage(error)}`
    throw new UserError(`${name}_FILE names ${file}, which ${reason}`)
  }
  if (text === '')
    throw new UserError(`${name}_FILE names ${file}, which is empty; expected the secret in it`)
  return text
}
