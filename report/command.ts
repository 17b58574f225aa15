import type { RunRecord } from '../experiment/records/run.ts'

/** The shell command that reproduces a run. No config describes the step of a ledger. */
export function commandOf({ id, command }: Pick<RunRecord, 'id' | 'command'>): string {
  if (command.ledger !== undefined) return `./zeroshift verify ${quoted(id)}`
  const overrides = command.overrides.map((text) => `-S ${quoted(text)}`)
  return ['./zeroshift run', quoted(command.config), ...overrides].join(' ')
}

/** Quotes a word of a shell command if it needs quotes. */
export function quoted(text: string): string {
  return /^[\w./=:@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
