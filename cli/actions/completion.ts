import { UserError } from '../../common/errors.ts'
import { bashCompletion, zshCompletion } from '../completion/bash.ts'
import { declaredCommands } from '../completion/declared.ts'
import { fishCompletion } from '../completion/fish.ts'
import { print } from '../output/print.ts'
import { createProgram } from '../program.ts'

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const

/** `zeroshift completion`: prints the script that a shell sources. */
export function completion(shell: string, _options: unknown): number {
  const script = Object.entries(scripts).find(([name]) => name === shell)?.[1]
  if (!script)
    throw new UserError(
      `zeroshift completes for ${Object.keys(scripts).join(', ')}; found '${shell}'. Most others read the script of bash`,
    )
  print(script(declaredCommands(createProgram())).trimEnd())
  return 0
}
