import { basename, delimiter, dirname, resolve } from 'node:path'

/**
 * The name by which the user called Zeroshift, for the commands in messages: `zeroshift` if it was
 * found in PATH, `npx zeroshift`, or the path as typed.
 */
export function commandName(environment: NodeJS.ProcessEnv = process.env): string {
  const typed = environment.ZEROSHIFT_COMMAND
  if (typed === undefined || typed === '') return STANDARD
  // npx puts this folder into PATH for the one command alone.
  if (environment.npm_command === 'exec' && /[/\\]node_modules[/\\]\.bin[/\\]/.test(typed))
    return 'npx zeroshift'
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean)
  if (folders.some((folder) => resolve(folder) === resolve(dirname(typed)) && typed.startsWith('/')))
    return basename(typed)
  return /^[\w./@+-]+$/.test(typed) ? typed : `'${typed.replaceAll("'", "'\\''")}'`
}

/** The name that messages in the sources have. */
const STANDARD = './zeroshift'

/** A text in which the commands have the name by which the user called Zeroshift. */
export function withCommandName(text: string, name = commandName()): string {
  if (name === STANDARD) return text
  return text.replace(/(?<![\w/.~-])\.\/zeroshift(?![\w/.-])/g, () => name)
}
