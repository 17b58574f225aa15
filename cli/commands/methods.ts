import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const methods = declareCommand({
  name: 'methods',
  about: 'list the unlearning methods',
  options: [json],
  action: async () => (await import('../actions/methods.ts')).methods,
})
