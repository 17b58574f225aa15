import { declareCommand } from '../declare.ts'
import { json, someRuns, store } from '../options/shared.ts'

export const storeExport = declareCommand({
  name: 'export',
  about: 'write results to a tar file',
  arguments: [{ name: '<file>', about: 'a new file' }],
  options: [someRuns, json, store],
  action: async () => (await import('../actions/store-export.ts')).exportStore,
})
