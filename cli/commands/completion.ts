import type { Command } from 'commander'
import { declareCommand, type AddCommand } from '../declare.ts'

/** The command that completes the commands of the program that `createProgram` returns. */
export const completionOf = (createProgram: () => Command): AddCommand =>
  declareCommand({
    name: 'completion',
    about: 'print the completion of commands and options for a shell: `source <(zeroshift completion bash)`',
    arguments: [{ name: '<shell>', about: 'bash, zsh or fish' }],
    options: [],
    action: async () => {
      const { completion } = await import('../actions/completion.ts')
      return (shell: string, _options: unknown) => completion(shell, createProgram())
    },
  })
