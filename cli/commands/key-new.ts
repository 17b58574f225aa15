import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const keyNew = declareCommand({
  name: 'new',
  about: 'make a key: FILE gets the private part, FILE.pub the public one; nothing is overwritten',
  arguments: [{ name: '<file>', about: 'a new file' }],
  options: [json],
  action: async () => (await import('../actions/key.ts')).newKey,
})
