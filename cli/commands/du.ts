import { declareCommand } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const du = declareCommand({
  name: 'du',
  about: 'show how much of the store each run and each kind of stage takes',
  options: [json, store],
  action: async () => (await import('../actions/du.ts')).du,
})
