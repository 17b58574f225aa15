import type { Command } from 'commander'
import { UserError } from '../../common/errors.ts'
import { bashCompletion, zshCompletion } from '../completion/bash.ts'
import { declaredCommands } from '../completion/declared.ts'
import { fishCompletion } from '../completion/fish.ts'
import { print } from '../output/print.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** `zeroshift completion`: prints the script by which a shell completes a program. */
export function completion(shell: string, program: Command): number {
  const script = Object.entries(scripts).find(([name]) => name === shell)?.[1]
  if (!script)
    throw new UserError(
      `zeroshift completes for ${Object.keys(scripts).join(', ')}; found '${shell}'. Most others read the script of bash`,
    )
  print(script(declaredCommands(program)).trimEnd())
  return 0
}
