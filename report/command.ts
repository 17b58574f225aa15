import type { RunRecord } from '../experiment/records/run.ts'

/** The shell command that reproduces a run. */
export function commandOf({ command }: Pick<RunRecord, 'command'>): string {
  const overrides = command.overrides.map((text) => `-S ${quoted(text)}`)
  return ['./zeroshift run', quoted(command.config), ...overrides].join(' ')
}

/** Quotes a word of a shell command if it needs quotes. */
export function quoted(text: string): string {
  return /^[\w./=:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
