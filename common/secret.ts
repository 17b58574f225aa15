import { UserError } from './errors.ts'
import { readRegularFileSync, unreadable } from './regular-file.ts'

/**
 * A secret of the environment: `NAME` itself, or what is in the file that `NAME_FILE` names, as containers are given secrets.
 * White space around it means nothing. undefined where there is none. Throws a UserError, which never shows a secret.
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
    const reason = unreadable(error) ?? `cannot be read: ${(error as Error).message}`
    throw new UserError(`${name}_FILE names ${file}, which ${reason}`)
  }
  if (text === '')
    throw new UserError(`${name}_FILE names ${file}, which is empty; expected the secret in it`)
  return text
}
