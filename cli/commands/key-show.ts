import { declareCommand } from '../declare.ts'
import { json } from '../options/shared.ts'

export const keyShow = declareCommand({
  name: 'show',
  about: 'show the id and the public part of a key',
  arguments: [{ name: '<file>', about: 'a private or a public key' }],
  options: [json],
  action: async () => (await import('../actions/key.ts')).showKey,
})
