import { declareCommand } from '../declare.ts'

export const completion = declareCommand({
  name: 'completion',
  about: 'print the completion of commands and options for a shell: `source <(zeroshift completion bash)`',
  arguments: [{ name: '<shell>', about: 'bash, zsh or fish' }],
  options: [],
  action: async () => (await import('../actions/completion.ts')).completion,
})
