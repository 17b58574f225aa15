import { declareCommand } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const ledger = declareCommand({
  name: 'ledger',
  about: 'show the deletion requests of a ledger, its model and the evidence',
  arguments: [{ name: '<ledger>', about: 'the name of a ledger, or its YAML file' }],
  options: [json, store],
  action: async () => (await import('../actions/ledger.ts')).ledger,
})
