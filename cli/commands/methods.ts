import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const methods = declareCommand({
  name: 'methods',
  about: 'list the unlearning methods, or show the options of one',
  arguments: [{ name: '[name]', about: 'a method; shows its options, its search space and its source' }],
  options: [json],
  action: async () => (await import('../actions/methods.ts')).methods,
})
