import { declareCommand, flag } from '../declare.ts'
import { json, store } from '../options/shared.ts'

export const purge = declareCommand({
  name: 'purge',
  about: 'delete the data and the results of a ledger whose requests are fulfilled, except the model in use',
  arguments: [{ name: '<ledger>', about: 'the name of a ledger, or its YAML file' }],
  options: [flag('--dry-run', 'show what would be deleted, and what would stay'), json, store],
  action: async () => (await import('../actions/purge.ts')).purge,
})
